#include "client/retry.h"

#include <algorithm>
#include <utility>

namespace pagewire::client {

void RetryThrottle::OnSuccess() {
  base::MutexLock lock(mutex_);
  tokens_ = std::min(tokens_ + token_ratio_, max_tokens_);
}

bool RetryThrottle::OnFailure() {
  base::MutexLock lock(mutex_);
  tokens_ = std::max(tokens_ - 1, 0.0);
  return tokens_ > max_tokens_ / 2;
}

RetryState::RetryState(const RetryPolicy* policy, RetryThrottle* throttle, bool idempotent,
                       std::function<double()> random)
    : policy_(policy),
      throttle_(throttle),
      idempotent_(idempotent),
      random_(std::move(random)),
      backoff_(policy == nullptr ? absl::ZeroDuration() : policy->initial_backoff) {}

bool RetryState::Retryable(absl::StatusCode code) const {
  return policy_ != nullptr && std::find(policy_->codes.begin(), policy_->codes.end(), code) != policy_->codes.end();
}

void RetryState::OnSuccess() {
  if (throttle_ != nullptr) throttle_->OnSuccess();
}

std::optional<absl::Duration> RetryState::OnFailure(const Failure& failure) {
  // Nobody has heard of it, and somebody else would: that is no attempt.
  if (failure.not_started && failure.others_ready && failure.code == absl::StatusCode::kUnavailable &&
      moves_ < kMostMoves) {
    ++moves_;
    return absl::ZeroDuration();
  }
  if (!Retryable(failure.code)) return std::nullopt;
  const bool throttled = throttle_ != nullptr && !throttle_->OnFailure();
  if (throttled || attempts_ >= std::min(policy_->max_attempts, kMostAttempts)) return std::nullopt;
  if (!failure.not_started && !idempotent_) return std::nullopt;
  // gRPC's: up to the backoff, anything is as likely.
  const absl::Duration delay = backoff_ * random_();
  if (delay >= failure.left) return std::nullopt;
  ++attempts_;
  backoff_ = std::min(backoff_ * policy_->backoff_multiplier, policy_->max_backoff);
  return delay;
}

}  // namespace pagewire::client
