#include "transport/ack_waiters.h"

#include <utility>

namespace pagewire::transport {

void AckWaiters::AwaitReceived(uint64_t end, Waiter waiter) {
  if (end <= received_ || dead_) return std::move(waiter)(end <= received_);
  for_received_.emplace(end, std::move(waiter));
}

void AckWaiters::AwaitReleased(uint64_t payload_id, Waiter waiter) {
  if (dead_) return std::move(waiter)(false);
  for_released_.emplace(payload_id, std::move(waiter));
}

void AckWaiters::OnPeerReceived(uint64_t total) {
  received_ = total;
  Run(for_received_, for_received_.begin(), for_received_.upper_bound(total), true);
}

void AckWaiters::OnPeerReleased(uint64_t first_payload, uint64_t last_payload) {
  Run(for_released_, for_released_.lower_bound(first_payload), for_released_.upper_bound(last_payload), true);
}

void AckWaiters::OnDead() {
  dead_ = true;
  Run(for_received_, for_received_.begin(), for_received_.end(), false);
  Run(for_released_, for_released_.begin(), for_released_.end(), false);
}

void AckWaiters::Run(Waiters& waiters, Waiters::iterator first, Waiters::iterator last, bool happened) {
  // Out of the map before any of them runs: a waiter may add another.
  Waiters due;
  while (first != last) due.insert(waiters.extract(first++));
  for (auto& [key, waiter] : due) std::move(waiter)(happened);
}

}  // namespace pagewire::transport
