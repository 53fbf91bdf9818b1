#include "call/server_call_state.h"

#include <pagewire/executor.h>

#include <utility>

#include "wire/metadata.h"

namespace pagewire::internal {
namespace {

// The handler's mistake, whatever it is.
void Add(std::string_view key, std::string_view value, Metadata& metadata, absl::Status& error) {
  absl::Status status = wire::ValidateUserMetadata(key, value);
  if (status.ok()) {
    metadata.emplace(key, value);
  } else if (error.ok()) {
    error = absl::InternalError(status.message());
  }
}

}  // namespace

void ServerCallState::AddInitialMetadata(std::string_view key, std::string_view value) {
  base::MutexLock lock(mutex_);
  if (initial_metadata_taken_ && metadata_.error.ok()) {
    metadata_.error = absl::InternalError("initial metadata was added after it had been sent");
  }
  Add(key, value, metadata_.initial, metadata_.error);
}

void ServerCallState::AddTrailingMetadata(std::string_view key, std::string_view value) {
  base::MutexLock lock(mutex_);
  Add(key, value, metadata_.trailing, metadata_.error);
}

std::optional<Metadata> ServerCallState::TakeInitialMetadata() {
  base::MutexLock lock(mutex_);
  if (std::exchange(initial_metadata_taken_, true)) return std::nullopt;
  return std::exchange(metadata_.initial, Metadata());
}

ResponseMetadata ServerCallState::TakeMetadata() {
  base::MutexLock lock(mutex_);
  initial_metadata_taken_ = true;
  return std::exchange(metadata_, ResponseMetadata());
}

void ServerCallState::AddDownstreamMetadata(std::string_view key, std::string_view value) {
  base::MutexLock lock(mutex_);
  downstream_metadata_.emplace(key, value);
}

Metadata ServerCallState::DownstreamMetadata() const {
  base::MutexLock lock(mutex_);
  return downstream_metadata_;
}

void ServerCallState::Cancel() {
  std::vector<absl::AnyInvocable<void()>> callbacks;
  std::map<uint64_t, std::function<void()>> subscriptions;
  {
    base::MutexLock lock(mutex_);
    cancelled_ = true;
    callbacks.swap(callbacks_);
    subscriptions.swap(subscriptions_);
  }
  for (const auto& subscription : subscriptions) subscription.second();
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

uint64_t ServerCallState::Subscribe(std::function<void()> callback) {
  {
    base::MutexLock lock(mutex_);
    if (!cancelled_) {
      subscriptions_.emplace(++last_subscription_, std::move(callback));
      return last_subscription_;
    }
  }
  callback();
  return 0;
}

void ServerCallState::Unsubscribe(uint64_t id) {
  base::MutexLock lock(mutex_);
  subscriptions_.erase(id);
}

void ServerCallState::AwaitWatch() {
  base::MutexLock lock(mutex_);
  watched_ = true;
}

void ServerCallState::Watch(const std::shared_ptr<call::CallObservers>& observers) {
  std::unique_ptr<TransferTotals> so_far;
  {
    base::MutexLock lock(mutex_);
    observers_ = observers;
    watched_ = observers != nullptr;
    so_far = std::move(unwatched_);
  }
  if (observers == nullptr) return;
  const TransferReport& received = transfers.Get().received;
  if (received.payload_bytes > 0) observers->PayloadsReceived(TotalsOf(received));
  if (so_far != nullptr) observers->PayloadsReceived(*so_far);
}

void ServerCallState::PayloadSent(const TransferReport& report) {
  std::shared_ptr<call::CallObservers> observers;
  {
    base::MutexLock lock(mutex_);
    observers = observers_;
  }
  if (observers != nullptr) observers->PayloadsSent(TotalsOf(report));
}

void ServerCallState::PayloadReceived(const TransferReport& report) {
  std::shared_ptr<call::CallObservers> observers;
  {
    base::MutexLock lock(mutex_);
    if (!watched_) return;
    observers = observers_;
    if (observers == nullptr) {
      if (unwatched_ == nullptr) unwatched_ = std::make_unique<TransferTotals>();
      unwatched_->Add(report);
      return;
    }
  }
  observers->PayloadsReceived(TotalsOf(report));
}

}  // namespace pagewire::internal
