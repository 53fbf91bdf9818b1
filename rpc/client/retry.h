// Whether a call that failed is made again: pure, but for the budget that calls share.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/mutex.h"

namespace pagewire::client {

// gRPC's retry policy, with its meaning.
struct RetryPolicy {
  uint32_t max_attempts = 0;  // the first one included; 2 to kMostAttempts
  absl::Duration initial_backoff;
  absl::Duration max_backoff;
  double backoff_multiplier = 1;
  std::vector<absl::StatusCode> codes;  // of failures that are worth another attempt
};
inline constexpr uint32_t kMostAttempts = 5;  // gRPC's: what is above counts as this

// gRPC's retry throttling: a failure takes a token, a success gives back a part of one; while half of them or fewer are
// there, nothing is tried again, so that a server in trouble is not asked for more. Thread-safe.
class RetryThrottle {
 public:
  // 0 < max_tokens <= 1000, token_ratio > 0.
  RetryThrottle(double max_tokens, double token_ratio)
      : max_tokens_(max_tokens), token_ratio_(token_ratio), tokens_(max_tokens) {}

  void OnSuccess();

  // Of a kind that the policy would try again. Whether it may be.
  bool OnFailure();

 private:
  const double max_tokens_;
  const double token_ratio_;
  base::Mutex mutex_;
  double tokens_ ABSL_GUARDED_BY(mutex_);
};

// How one attempt failed.
struct Failure {
  absl::StatusCode code = absl::StatusCode::kUnknown;
  bool not_started = false;   // the handler has certainly not run
  bool others_ready = false;  // another server could take the call at once
  absl::Duration left;        // until the call's deadline
};

// The attempts of one call. A call that may have been started is made again only if its method is idempotent, whatever
// the policy says.
class RetryState {
 public:
  // `policy`, which outlives this, and `throttle` may be null. `random`: values in [0, 1).
  RetryState(const RetryPolicy* policy, RetryThrottle* throttle, bool idempotent, std::function<double()> random);

  void OnSuccess();

  // How long to wait before the next attempt; nullopt: there is none.
  std::optional<absl::Duration> OnFailure(const Failure& failure);

 private:
  bool Retryable(absl::StatusCode code) const;

  const RetryPolicy* const policy_;
  RetryThrottle* const throttle_;
  const bool idempotent_;
  const std::function<double()> random_;
  uint32_t attempts_ = 1;
  uint32_t moves_ = 0;  // to another server, at once
  absl::Duration backoff_;
};

// How often a call that was not started goes on to another server at once: more than a restart of one of a few servers
// makes necessary, few enough to end.
inline constexpr uint32_t kMostMoves = 8;

}  // namespace pagewire::client
