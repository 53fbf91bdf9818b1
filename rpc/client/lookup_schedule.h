// When a name is looked up again.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include "client/backoff.h"
#include "transport/loop.h"

namespace pagewire::client {

// gRPC's rules for names that are polled: on request, but with a least interval between the beginnings of two lookups;
// after a failure again and again by itself, further and further apart; otherwise never. Lives on one loop.
class LookupSchedule {
 public:
  // `look` begins a lookup, whose end is told by Ended. It never runs inside the constructor.
  LookupSchedule(transport::Loop& loop, absl::Duration min_interval, Backoff backoff, absl::AnyInvocable<void()> look);
  ~LookupSchedule() { loop_.CancelTimer(timer_); }
  LookupSchedule(const LookupSchedule&) = delete;
  LookupSchedule& operator=(const LookupSchedule&) = delete;

  // Looks as soon as the rules allow it; the first time at once, inside this call. Does nothing while a lookup runs or
  // waits for its time.
  void Refresh();

  // The lookup has ended. May be called inside `look`.
  void Ended(bool found);

 private:
  void Look();

  transport::Loop& loop_;
  const absl::Duration min_interval_;
  Backoff backoff_;
  absl::AnyInvocable<void()> look_;
  absl::Time last_look_ = absl::InfinitePast();
  bool looking_ = false;
  transport::Loop::TimerId timer_ = 0;
};

}  // namespace pagewire::client
