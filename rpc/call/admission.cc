#include "call/admission.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "base/string_view.h"

namespace pagewire::call {

void Admission::LimitMethod(std::string_view method, uint32_t max_calls) {
  methods_[method] = std::make_unique<OfMethod>(OfMethod{max_calls, 0});
}

absl::Status Admission::Full(std::string_view method, uint32_t calls, const std::string& what,
                             const std::string& option) const {
  return absl::ResourceExhaustedError(absl::StrCat(base::ToAbsl(method), ": ", calls, " calls are in flight ",
                                                   options_.where, what, "; raise ", option, ", or try again later"));
}

absl::StatusOr<Place> Admission::Admit(std::string_view method, uint64_t own) {
  if (options_.max_calls == 0 && methods_.empty()) return Place();
  const auto it = methods_.find(method);
  OfMethod* const of_method = it == methods_.end() ? nullptr : it->second.get();
  if (of_method == nullptr && options_.max_calls == 0) return Place();
  base::MutexLock lock(mutex_);
  if (options_.max_calls > 0) {
    if (calls_ >= options_.max_calls) return Full(method, calls_, ", which is the limit", options_.option);
    const uint64_t free = options_.max_calls - calls_;
    if (options_.fairness > 0 && own >= options_.fairness * free) {
      return Full(method, calls_,
                  absl::StrCat(", ", own, " of them of this connection, and the last ", free,
                               " places are kept for other connections"),
                  options_.option);
    }
  }
  if (of_method != nullptr && of_method->calls >= of_method->max_calls) {
    return Full(method, of_method->calls, ", which is the method's limit", options_.method_option);
  }
  ++calls_;
  if (of_method != nullptr) ++of_method->calls;
  return Place(nullptr, [self = shared_from_this(), of_method](void*) { self->Leave(of_method); });
}

void Admission::Leave(OfMethod* method) {
  base::MutexLock lock(mutex_);
  --calls_;
  if (method != nullptr) --method->calls;
}

}  // namespace pagewire::call
