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

  // Once the peer's application has dropped its last handle on the payload.
  void AwaitReleased(uint64_t payload_id, PeerEvent event);

  void OnPeerReceived(uint64_t total);
  void OnPeerReleased(uint64_t first_payload, uint64_t last_payload);

  // The connection is dead: nothing of it will happen.
  void OnDead();

 private:
  using Waiters = std::multimap<uint64_t, PeerEvent>;
  static void Tell(Waiters& waiters, Waiters::iterator first, Waiters::iterator last);

  uint64_t received_ = 0;
  Waiters for_received_;  // by end
  Waiters for_released_;  // by payload id
};

}  // namespace pagewire::transport
