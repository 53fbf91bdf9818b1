#include "transport/timer_queue.h"

#include <algorithm>
#include <utility>

namespace pagewire::transport {
namespace {

// Below it, places of timers that are gone are not worth looking for.
constexpr size_t kFewPlaces = 64;

}  // namespace

Loop::TimerId TimerQueue::Add(absl::Time due, absl::AnyInvocable<void()> task) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  Slot& slot = slots_[index];
  slot.task = std::move(task);
  slot.age = ++last_age_;
  ++armed_;
  order_.push_back({due, slot.age, index});
  std::push_heap(order_.begin(), order_.end(), Later());
  return Loop::TimerId{slot.generation} << 32 | (index + 1);
}

// The slot may be used again at once: what is destroyed or run afterwards may come back here.
absl::AnyInvocable<void()> TimerQueue::Take(uint32_t index) {
  Slot& slot = slots_[index];
  absl::AnyInvocable<void()> task = std::move(slot.task);
  slot.task = nullptr;
  slot.age = 0;
  ++slot.generation;
  --armed_;
  free_.push_back(index);
  return task;
}

void TimerQueue::Cancel(Loop::TimerId id) {
  const uint64_t number = id & 0xffffffff;
  if (number == 0 || number > slots_.size()) return;
  const auto index = static_cast<uint32_t>(number - 1);
  if (slots_[index].age == 0 || slots_[index].generation != id >> 32) return;
  const absl::AnyInvocable<void()> task = Take(index);
  if (order_.size() > kFewPlaces && order_.size() > 4 * armed_) DropGone();
}

void TimerQueue::DropGone() {
  std::erase_if(order_, [this](const Place& place) { return Gone(place); });
  std::make_heap(order_.begin(), order_.end(), Later());
}

void TimerQueue::PopFirst() {
  std::pop_heap(order_.begin(), order_.end(), Later());
  order_.pop_back();
}

absl::Time TimerQueue::next_due() {
  while (!order_.empty() && Gone(order_.front())) PopFirst();
  return order_.empty() ? absl::InfiniteFuture() : order_.front().due;
}

void TimerQueue::RunDue(absl::Time now) {
  const uint64_t last = last_age_;
  while (next_due() <= now && !empty() && order_.front().age <= last) {
    const uint32_t index = order_.front().slot;
    PopFirst();
    Take(index)();
  }
}

void TimerQueue::Clear() {
  while (!empty()) {
    next_due();
    const uint32_t index = order_.front().slot;
    PopFirst();
    const absl::AnyInvocable<void()> task = Take(index);
  }
}

}  // namespace pagewire::transport
