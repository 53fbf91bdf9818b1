// Who waits for the peer to have received, or released, a payload.
#pragma once

#include <cstdint>
#include <map>

#include "transport/peer_event.h"

namespace pagewire::transport {

// Events are told inside the On... call that fulfils them. One per connection. Not thread-safe: used by whoever drives
// the connection.
class AckWaiters {
 public:
  // Once the peer's transport has consumed `end` payload bytes of the connection.
  void AwaitReceived(uint64_t end, PeerEvent event);

  // Once the peer's application has dropped its last handle on the payload. What it was never given it has not dropped:
  // without a receipt before it a release is the end of waiting, and nothing that happened.
  void AwaitReleased(uint64_t payload_id, PeerEvent event);

  void OnPeerReceived(uint64_t total);
  void OnReceipt(uint64_t payload_id);
  void OnPeerReleased(uint64_t first_payload, uint64_t last_payload);

  // The connection is dead: nothing of it will happen.
  void OnDead();

 private:
  using Waiters = std::multimap<uint64_t, PeerEvent>;
  static Waiters Take(Waiters& waiters, Waiters::iterator first, Waiters::iterator last);
  static void Tell(Waiters due);

  uint64_t received_ = 0;
  Waiters for_received_;  // by end
  Waiters for_receipt_;   // by payload id; then for the release
  Waiters for_released_;  // by payload id
};

}  // namespace pagewire::transport
