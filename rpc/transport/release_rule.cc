// Whether a sender's buffer is free. Nothing else in Pagewire decides it.
#include "transport/ack_ledger.h"

namespace pagewire::transport {

bool AckLedger::Free(const Hold& hold) const {
  if (!hold.handed_over || hold.references > 0) return false;
  switch (hold.chunk.path) {
    case SendPath::kAuto:
    case SendPath::kCopy:
      return true;
    case SendPath::kZerocopy:
    case SendPath::kFixed:
      return hold.chunk.end <= received_ || dead_;
    case SendPath::kSplice:
      return hold.peer_released || hold.given_up;
    case SendPath::kFile:
      return hold.peer_released || dead_;
  }
  return false;
}

}  // namespace pagewire::transport
