// Tells when a connection has had no calls for a time.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <optional>
#include <utility>

#include "transport/loop.h"

namespace pagewire::call {

// Lives on its connection's loop; every function is called there.
class IdleTimer {
 public:
  // `idle` runs on the loop whenever SetIdle was called `timeout` ago and SetBusy not since; never if that is infinite.
  // `loop` outlives it.
  IdleTimer(transport::Loop& loop, absl::Duration timeout, absl::AnyInvocable<void()> idle)
      : loop_(loop), timeout_(timeout), idle_(std::move(idle)) {}
  ~IdleTimer() { loop_.CancelTimer(timer_); }
  IdleTimer(const IdleTimer&) = delete;
  IdleTimer& operator=(const IdleTimer&) = delete;

  // From now on.
  void Shorten(absl::Duration timeout) {
    timeout_ = timeout;
    loop_.CancelTimer(std::exchange(timer_, 0));
    if (!busy_) WatchFor(timeout_);
  }

  void SetBusy() { busy_ = true; }

  // How long there have been no calls; nullopt: there are some.
  std::optional<absl::Duration> idle() const { return busy_ ? std::nullopt : std::make_optional(loop_.Now() - since_); }

  // One timer is enough however often calls come and go.
  void SetIdle() {
    busy_ = false;
    since_ = loop_.Now();
    if (timer_ == 0 && timeout_ != absl::InfiniteDuration()) WatchFor(timeout_);
  }

 private:
  void WatchFor(absl::Duration delay) {
    timer_ = loop_.RunAfter(delay, [this] {
      timer_ = 0;
      if (busy_) return;
      const absl::Duration idle = loop_.Now() - since_;
      if (idle < timeout_) return WatchFor(timeout_ - idle);
      idle_();
    });
  }

  transport::Loop& loop_;
  absl::Duration timeout_;
  absl::AnyInvocable<void()> idle_;
  bool busy_ = false;
  absl::Time since_ = loop_.Now();
  transport::Loop::TimerId timer_ = 0;
};

}  // namespace pagewire::call
