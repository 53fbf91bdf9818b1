#include "transport/timer_queue.h"

namespace pagewire::transport {

Loop::TimerId TimerQueue::Add(absl::Time due, absl::AnyInvocable<void()> task) {
  const Loop::TimerId id = ++last_id_;
  timers_.emplace(Key(due, id), std::move(task));
  due_.emplace(id, due);
  return id;
}

void TimerQueue::Cancel(Loop::TimerId id) {
  const auto known = due_.find(id);
  if (known == due_.end()) return;
  // Out of the books first: the task's destructor may come back here.
  const auto timer = timers_.extract(Key(known->second, id));
  due_.erase(known);
}

void TimerQueue::RunDue(absl::Time now) {
  const Loop::TimerId last = last_id_;
  while (!timers_.empty()) {
    const auto first = timers_.begin();
    if (first->first.first > now || first->first.second > last) return;
    due_.erase(first->first.second);
    auto timer = timers_.extract(first);
    std::move(timer.mapped())();
  }
}

void TimerQueue::Clear() {
  while (!timers_.empty()) {
    due_.erase(timers_.begin()->first.second);
    const auto timer = timers_.extract(timers_.begin());
  }
}

}  // namespace pagewire::transport
