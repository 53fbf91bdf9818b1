#include "server/running_handlers.h"

namespace pagewire::server {

std::shared_ptr<void> RunningHandlers::Begin() {
  {
    base::MutexLock lock(count_->mutex);
    ++count_->running;
  }
  return std::shared_ptr<void>(nullptr, [count = count_](void*) {
    base::MutexLock lock(count->mutex);
    if (--count->running == 0) count->idle.NotifyAll();
  });
}

void RunningHandlers::WaitForAll() const {
  base::MutexLock lock(count_->mutex);
  while (count_->running > 0) count_->idle.Wait(count_->mutex);
}

}  // namespace pagewire::server
