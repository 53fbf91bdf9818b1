// Keeps what strangers cause from filling the log.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

#include "base/mutex.h"

namespace pagewire::base {

// Thread-safe.
class LogQuota {
 public:
  explicit LogQuota(int lines_per_second) : lines_per_second_(lines_per_second) {}

  // Whether a line may be written at `now`. `suppressed`: how many were not since the last that was; to be said.
  bool Take(absl::Time now, uint64_t& suppressed) {
    MutexLock lock(mutex_);
    if (now - second_ >= absl::Seconds(1) || now < second_) {  // the clock may be set back
      second_ = now;
      lines_ = 0;
    }
    if (lines_ >= lines_per_second_) {
      ++suppressed_;
      return false;
    }
    ++lines_;
    suppressed = suppressed_;
    suppressed_ = 0;
    return true;
  }

 private:
  const int lines_per_second_;
  Mutex mutex_;
  absl::Time second_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  int lines_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t suppressed_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pagewire::base
