// How long something took, by the wall clock and in CPU time of this thread.
#pragma once

#include <absl/time/time.h>
#include <time.h>

namespace bulk {

// The time of one of the kernel's clocks, such as CLOCK_MONOTONIC; only differences mean something.
inline absl::Duration ClockTime(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return absl::DurationFromTimespec(time);
}

// Started when made, read by the same thread.
class Stopwatch {
 public:
  absl::Duration wall() const { return ClockTime(CLOCK_MONOTONIC) - wall_; }
  absl::Duration thread_cpu() const { return ClockTime(CLOCK_THREAD_CPUTIME_ID) - thread_cpu_; }

 private:
  absl::Duration wall_ = ClockTime(CLOCK_MONOTONIC);
  absl::Duration thread_cpu_ = ClockTime(CLOCK_THREAD_CPUTIME_ID);
};

}  // namespace bulk
