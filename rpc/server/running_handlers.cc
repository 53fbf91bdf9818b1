#include "server/running_handlers.h"

namespace pagewire::server {

RunningHandlers::Token::Token(std::shared_ptr<Count> count) : count_(std::move(count)) {
  count_->running.fetch_add(1, std::memory_order_relaxed);
}

RunningHandlers::Token::~Token() {
  if (count_ == nullptr || count_->running.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  base::MutexLock lock(count_->mutex);
  count_->idle.NotifyAll();
}

void RunningHandlers::WaitForAll() const {
  base::MutexLock lock(count_->mutex);
  while (count_->running.load(std::memory_order_acquire) > 0) count_->idle.Wait(count_->mutex);
}

}  // namespace pagewire::server
