#include "transport/ack_waiters.h"

#include <utility>

namespace pagewire::transport {

void AckWaiters::AwaitReceived(uint64_t end, PeerEvent event) {
  if (end <= received_) return event.Happened();
  for_received_.emplace(end, std::move(event));
}

void AckWaiters::AwaitReleased(uint64_t payload_id, PeerEvent event) {
  for_released_.emplace(payload_id, std::move(event));
}

void AckWaiters::OnPeerReceived(uint64_t total) {
  received_ = total;
  Tell(for_received_, for_received_.begin(), for_received_.upper_bound(total));
}

void AckWaiters::OnPeerReleased(uint64_t first_payload, uint64_t last_payload) {
  Tell(for_released_, for_released_.lower_bound(first_payload), for_released_.upper_bound(last_payload));
}

void AckWaiters::OnDead() {
  for_received_.clear();
  for_released_.clear();
}

void AckWaiters::Tell(Waiters& waiters, Waiters::iterator first, Waiters::iterator last) {
  // Out of the map before any of them is told: whoever hears of it may wait for more.
  Waiters due;
  while (first != last) due.insert(waiters.extract(first++));
  for (auto& [key, event] : due) event.Happened();
}

}  // namespace pagewire::transport
