#include "client/client_call_state.h"

#include <utility>

namespace pagewire::internal {

bool ClientCallState::Claim() {
  base::MutexLock lock(mutex_);
  return !std::exchange(claimed_, true);
}

void ClientCallState::SetCanceller(std::function<void()> canceller) {
  bool run_now = false;
  {
    base::MutexLock lock(mutex_);
    canceller_ = canceller;
    run_now = cancelled_;
  }
  if (run_now) canceller();
}

void ClientCallState::Cancel() {
  std::function<void()> canceller;
  {
    base::MutexLock lock(mutex_);
    cancelled_ = true;
    canceller = canceller_;
  }
  if (canceller) canceller();
}

bool ClientCallState::cancelled() const {
  base::MutexLock lock(mutex_);
  return cancelled_;
}

void ClientCallState::Take(call::UnaryResult& result) {
  initial_metadata = std::move(result.initial_metadata);
  trailing_metadata = std::move(result.trailing_metadata);
  transfers = result.transfers;
  peer = std::move(result.peer);
  not_started = result.not_started;
  base::MutexLock lock(mutex_);
  canceller_ = nullptr;
}

}  // namespace pagewire::internal
