#include "transport/manual_loop.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pagewire::transport {
namespace {

// Any time does; a fixed one makes logs of two runs equal.
constexpr absl::Time kStart = absl::FromUnixSeconds(1'000'000'000);

}  // namespace

ManualLoop::ManualLoop() : now_(kStart) {}

ManualLoop::~ManualLoop() {
  std::deque<absl::AnyInvocable<void()>> left;
  {
    base::MutexLock lock(mutex_);
    stopped_ = true;
    left.swap(posted_);
  }
  left.clear();
  timers_.Clear();
}

void ManualLoop::Post(absl::AnyInvocable<void()> task) {
  base::MutexLock lock(mutex_);
  if (!stopped_) posted_.push_back(std::move(task));
}

Loop::TimerId ManualLoop::RunAfter(absl::Duration delay, absl::AnyInvocable<void()> task) {
  assert(InLoop());
  return timers_.Add(Now() + std::max(delay, absl::ZeroDuration()), std::move(task));
}

void ManualLoop::CancelTimer(TimerId timer) {
  assert(InLoop());
  timers_.Cancel(timer);
}

absl::Time ManualLoop::Now() const {
  base::MutexLock lock(mutex_);
  return now_;
}

void ManualLoop::SetTime(absl::Time now) {
  base::MutexLock lock(mutex_);
  now_ = now;
}

bool ManualLoop::RunOne() {
  assert(InLoop() && !RunningHere());
  const Running running(this);
  absl::AnyInvocable<void()> task;
  {
    base::MutexLock lock(mutex_);
    if (!posted_.empty()) {
      task = std::move(posted_.front());
      posted_.pop_front();
    }
  }
  if (task) {
    std::move(task)();
    return true;
  }
  const absl::Time now = Now();
  if (timers_.next_due() > now) return false;
  timers_.RunDue(now);
  return true;
}

size_t ManualLoop::RunUntilIdle() {
  size_t count = 0;
  while (RunOne()) ++count;
  return count;
}

void ManualLoop::AdvanceTime(absl::Duration duration) {
  const absl::Time end = Now() + std::max(duration, absl::ZeroDuration());
  RunUntilIdle();
  while (timers_.next_due() <= end) AdvanceToNextTimer();
  SetTime(end);
}

bool ManualLoop::AdvanceToNextTimer() {
  if (timers_.empty()) return false;
  SetTime(std::max(Now(), timers_.next_due()));
  RunUntilIdle();
  return true;
}

}  // namespace pagewire::transport
