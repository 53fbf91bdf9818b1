// Who waits for the peer to have received, or released, a payload.
#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <map>

namespace pagewire::transport {

// A waiter runs once: with true inside the On... call that fulfils it, with false when the connection dies first. One
// per connection. Not thread-safe: used by whoever drives the connection.
class AckWaiters {
 public:
  using Waiter = absl::AnyInvocable<void(bool)>;

  // Until the peer's transport has consumed `end` payload bytes of the connection.
  void AwaitReceived(uint64_t end, Waiter waiter);

  // Until the peer's application has dropped its last handle on the payload.
  void AwaitReleased(uint64_t payload_id, Waiter waiter);

  void OnPeerReceived(uint64_t total);
  void OnPeerReleased(uint64_t first_payload, uint64_t last_payload);
  void OnDead();

 private:
  using Waiters = std::multimap<uint64_t, Waiter>;
  static void Run(Waiters& waiters, Waiters::iterator first, Waiters::iterator last, bool happened);

  uint64_t received_ = 0;
  bool dead_ = false;
  Waiters for_received_;  // by end
  Waiters for_released_;  // by payload id
};

}  // namespace pagewire::transport
