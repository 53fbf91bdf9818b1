// A loop without a thread and with a clock of its own, for tests and fuzzing: the same calls give the same order.
#pragma once

#include <cstddef>
#include <deque>
#include <thread>

#include "base/mutex.h"
#include "transport/loop.h"
#include "transport/timer_queue.h"

namespace pagewire::transport {

// Belongs to the thread that constructs it, which is "on the loop" all the time. Post may come from any thread.
// Destruction destroys what has not run.
class ManualLoop final : public Loop {
 public:
  ManualLoop();
  ~ManualLoop() override;
  ManualLoop(const ManualLoop&) = delete;
  ManualLoop& operator=(const ManualLoop&) = delete;

  // Runs one posted task, or one round of timers that are due. False when there was neither. Not inside a task.
  bool RunOne();

  // Runs tasks and due timers until there are none; the clock stands still. Returns how many RunOne calls did
  // something. Not inside a task.
  size_t RunUntilIdle();

  // Moves the clock to each timer that becomes due within `duration`, in order, running until idle at each, and ends
  // at `duration` from now. Not inside a task.
  void AdvanceTime(absl::Duration duration);

  // Moves the clock to the next timer and runs until idle. False when there is no timer. For tests that only want to
  // get on.
  bool AdvanceToNextTimer();

  void Post(absl::AnyInvocable<void()> task) override;
  TimerId RunAfter(absl::Duration delay, absl::AnyInvocable<void()> task) override;
  void CancelTimer(TimerId timer) override;
  bool InLoop() const override { return std::this_thread::get_id() == owner_; }
  absl::Time Now() const override;

 private:
  void SetTime(absl::Time now);

  const std::thread::id owner_ = std::this_thread::get_id();
  mutable base::Mutex mutex_;
  std::deque<absl::AnyInvocable<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  TimerQueue timers_;
};

}  // namespace pagewire::transport
