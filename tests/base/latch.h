// Waiting in tests, until something has happened; never for a time.
#pragma once

#include "base/mutex.h"

namespace pagewire::testing {

// Open once CountDown was called `count` times.
class Latch {
 public:
  explicit Latch(int count = 1) : count_(count) {}

  void CountDown() {
    base::MutexLock lock(mutex_);
    if (--count_ <= 0) open_.NotifyAll();
  }

  void Wait() {
    base::MutexLock lock(mutex_);
    while (count_ > 0) open_.Wait(mutex_);
  }

 private:
  base::Mutex mutex_;
  base::CondVar open_;
  int count_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::testing
