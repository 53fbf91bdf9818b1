#include "call/server_call_state.h"

#include <pagewire/executor.h>

#include <utility>

namespace pagewire::internal {

void ServerCallState::Cancel() {
  std::vector<absl::AnyInvocable<void()>> callbacks;
  {
    base::MutexLock lock(mutex_);
    cancelled_ = true;
    callbacks.swap(callbacks_);
  }
  for (auto& callback : callbacks) DefaultExecutor().Run(std::move(callback));
}

bool ServerCallState::cancelled() const {
  base::MutexLock lock(mutex_);
  return cancelled_;
}

void ServerCallState::OnCancelled(absl::AnyInvocable<void()> callback) {
  {
    base::MutexLock lock(mutex_);
    if (!cancelled_) return callbacks_.push_back(std::move(callback));
  }
  DefaultExecutor().Run(std::move(callback));
}

}  // namespace pagewire::internal
