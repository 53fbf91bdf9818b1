#include "client/client_call_state.h"

#include <utility>

#include "call/server_call_state.h"

namespace pagewire::internal {

bool ClientCallState::Claim() {
  base::MutexLock lock(mutex_);
  return !std::exchange(claimed_, true);
}

void ClientCallState::CancelHere(std::weak_ptr<call::Cancellable> started) {
  bool cancel_now = false;
  {
    base::MutexLock lock(mutex_);
    started_.swap(started);
    cancel_now = cancelled_;
  }
  if (cancel_now) Cancel();
}

bool ClientCallState::cancelled() const {
  base::MutexLock lock(mutex_);
  return cancelled_;
}

void ClientCallState::Cancel() {
  std::shared_ptr<call::Cancellable> started;
  {
    base::MutexLock lock(mutex_);
    cancelled_ = true;
    started = started_.lock();
  }
  if (started == nullptr) return;
  call::Cancellable& call = *started;
  call.RequestCancel(std::move(started));
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

void ClientCallState::Take(call::CallOutcome& outcome) {
  initial_metadata = std::move(outcome.initial_metadata);
  trailing_metadata = std::move(outcome.trailing_metadata);
  transfers = std::move(outcome.transfers);
  peer = std::move(outcome.peer);
  not_started = outcome.not_started;
  base::MutexLock lock(mutex_);
  started_.reset();
}

}  // namespace pagewire::internal
