#include "transport/ack_waiters.h"

#include <utility>

namespace pagewire::transport {

void AckWaiters::AwaitReceived(uint64_t end, PeerEvent event) {
  if (end <= received_) return event.Happened();
  for_received_.emplace(end, std::move(event));
}

void AckWaiters::AwaitReleased(uint64_t payload_id, PeerEvent event) {
  for_receipt_.emplace(payload_id, std::move(event));
}

void AckWaiters::OnPeerReceived(uint64_t total) {
  received_ = total;
  Tell(Take(for_received_, for_received_.begin(), for_received_.upper_bound(total)));
}

void AckWaiters::OnReceipt(uint64_t payload_id) {
  const auto [first, last] = for_receipt_.equal_range(payload_id);
  for_released_.merge(Take(for_receipt_, first, last));
}

void AckWaiters::OnPeerReleased(uint64_t first_payload, uint64_t last_payload) {
  const auto take = [=](Waiters& waiters) {
    return Take(waiters, waiters.lower_bound(first_payload), waiters.upper_bound(last_payload));
  };
  const Waiters not_handed_out = take(for_receipt_);  // told that nothing happened when it is destroyed
  Tell(take(for_released_));
}

void AckWaiters::OnDead() {
  for_received_.clear();
  for_receipt_.clear();
  for_released_.clear();
}

// Out of the map before any of them is told: whoever hears of it may wait for more.
AckWaiters::Waiters AckWaiters::Take(Waiters& waiters, Waiters::iterator first, Waiters::iterator last) {
  Waiters due;
  while (first != last) due.insert(waiters.extract(first++));
  return due;
}

void AckWaiters::Tell(Waiters due) {
  for (auto& [key, event] : due) event.Happened();
}

}  // namespace pagewire::transport
