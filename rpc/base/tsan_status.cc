// Only under ThreadSanitizer: the one function of abseil's library that it has to see. Copies of a Status share a
// count; inline code raises and reads it, UnrefNonInlined lowers it and destroys what is shared. Where abseil is built
// without ThreadSanitizer, as Debian's is, the latter is not seen, and the end of a status that two threads had copies
// of looks like a race. This is that function once more, where it is seen. Weak, for whoever links an abseil that is
// instrumented.
#ifdef __SANITIZE_THREAD__

#include <absl/status/status.h>

namespace absl {
ABSL_NAMESPACE_BEGIN

__attribute__((weak)) void Status::UnrefNonInlined(uintptr_t rep) {
  status_internal::StatusRep* const shared = RepToPointer(rep);
  if (shared->ref.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared;
}

ABSL_NAMESPACE_END
}  // namespace absl

#endif  // __SANITIZE_THREAD__
