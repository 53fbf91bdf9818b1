// Where everything about a connection happens: tasks and timers, one at a time.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <cstdint>

namespace pagewire::transport {

// Runs tasks and timers one at a time, in one thread at a time. "On the loop" below means: inside a task, a timer or
// an I/O callback of this loop.
class Loop {
 public:
  using TimerId = uint64_t;  // 0 is never a timer

  virtual ~Loop() = default;

  // Runs `task` once, after this call has returned and after the tasks posted before it. From any thread. Once the loop
  // has stopped, the task is destroyed, in this call, instead of run: what must not get lost belongs into its
  // destructor.
  virtual void Post(absl::AnyInvocable<void()> task) = 0;

  // Runs `task` once when `delay` has passed, never earlier and never inside this call; a delay of zero or less means
  // soon. Timers that are due at the same time run in the order of these calls. On the loop only. What has not run
  // when the loop stops is destroyed.
  virtual TimerId RunAfter(absl::Duration delay, absl::AnyInvocable<void()> task) = 0;

  // The timer will not run; its task is destroyed before this returns. 0 and timers that ran are ignored. On the loop
  // only.
  virtual void CancelTimer(TimerId timer) = 0;

  // Whether the caller is on this loop.
  virtual bool InLoop() const = 0;

  // Never goes backwards and does not follow the wall clock when that is set. From any thread. Turn a deadline by the
  // wall clock into a delay once, with absl::Now(), and keep that.
  virtual absl::Time Now() const = 0;

  // Whether the caller is on any loop of the process: there a blocking call would wait for itself.
  static bool OnAnyLoop() { return current_ != nullptr; }

  // The loop that the caller is on; null on other threads.
  static Loop* Current() { return current_; }

 protected:
  // Marks the thread as running `loop` while it lives.
  class Running {
   public:
    explicit Running(Loop* loop) : previous_(current_) { current_ = loop; }
    ~Running() { current_ = previous_; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    Loop* const previous_;
  };

  bool RunningHere() const { return current_ == this; }

 private:
  static inline thread_local Loop* current_ = nullptr;
};

}  // namespace pagewire::transport
