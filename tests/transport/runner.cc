#include "transport/runner.h"

#include <utility>

namespace pagewire::transport::testing {

EpollLoop& ThreadedRunner::SharedLoop(int index) {
  static EpollLoop* const loops[] = {EpollLoop::Create()->release(), EpollLoop::Create()->release()};
  return *loops[index];
}

void ThreadedRunner::Run(int index, std::function<void()> task) {
  bool done = false;
  SharedLoop(index).Post([&] {
    task();
    base::MutexLock lock(mutex_);
    done = true;
    Changed();  // under the lock: the runner may be gone right after it
  });
  base::MutexLock lock(mutex_);
  while (!done) changed_.Wait(mutex_);
}

bool ThreadedRunner::Await(std::function<bool()> condition) {
  base::MutexLock lock(mutex_);
  while (!condition()) {
    if (!changed_.WaitFor(mutex_, absl::Minutes(1))) return condition();
  }
  return true;
}

void ManualRunner::Run(int, std::function<void()> task) { task(); }

bool ManualRunner::Await(std::function<bool()> condition) {
  for (;;) {
    {
      base::MutexLock lock(mutex_);
      if (condition()) return true;
    }
    if (!Step()) return false;
  }
}

bool ManualRunner::Step() {
  const bool first = loops_[0].RunOne();
  const bool second = loops_[1].RunOne();
  if (first || second) return true;
  const bool first_timer = loops_[0].AdvanceToNextTimer();
  const bool second_timer = loops_[1].AdvanceToNextTimer();
  return first_timer || second_timer;
}

}  // namespace pagewire::transport::testing
