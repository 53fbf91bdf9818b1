// A planted bug: a buffer goes back as soon as it was handed to the kernel. Linked instead of release_rule.cc, it must
// be caught by the corruption test. The hold itself ends by the right rule, so that nothing else can go wrong.
#include "transport/ack_ledger.h"

namespace pagewire::transport {

bool AckLedger::Free(const Hold& hold) const {
  if (!hold.handed_over) return false;
  const_cast<Hold&>(hold).chunk.payload = Payload();
  return hold.references == 0 && (hold.chunk.end <= received_ || dead_);
}

}  // namespace pagewire::transport
