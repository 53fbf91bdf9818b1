#include "client/client_call_state.h"

#include <utility>

#include "call/server_call_state.h"

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

bool ClientCallState::cancelled() const {
  base::MutexLock lock(mutex_);
  return cancelled_;
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

void ClientCallState::LinkTo(const std::shared_ptr<ServerCallState>& parent) {
  latest_deadline = parent->deadline;
  deadline = latest_deadline;
  parent_ = parent;
  subscription_ = parent->Subscribe([weak = weak_from_this()] {
    if (const auto state = weak.lock()) state->Cancel();
  });
}

void ClientCallState::CancelOn(std::stop_token token) { stop_.emplace(std::move(token), Stop{this}); }

void ClientCallState::Unlink() {
  stop_.reset();
  if (const auto parent = parent_.lock()) parent->Unsubscribe(subscription_);
}

void ClientCallState::Take(const call::CallOutcome& outcome) {
  initial_metadata = outcome.initial_metadata;
  trailing_metadata = outcome.trailing_metadata;
  transfers = outcome.transfers;
  peer = outcome.peer;
  not_started = outcome.not_started;
  base::MutexLock lock(mutex_);
  canceller_ = nullptr;
}

}  // namespace pagewire::internal
