#include "client/lookup_schedule.h"

#include <utility>

namespace pagewire::client {

LookupSchedule::LookupSchedule(transport::Loop& loop, absl::Duration min_interval, Backoff backoff,
                               absl::AnyInvocable<void()> look)
    : loop_(loop), min_interval_(min_interval), backoff_(std::move(backoff)), look_(std::move(look)) {}

void LookupSchedule::Refresh() {
  if (looking_ || timer_ != 0) return;
  const absl::Duration too_early = last_look_ + min_interval_ - loop_.Now();
  if (too_early <= absl::ZeroDuration()) return Look();
  timer_ = loop_.RunAfter(too_early, [this] { Look(); });
}

void LookupSchedule::Look() {
  timer_ = 0;
  looking_ = true;
  last_look_ = loop_.Now();
  look_();
}

void LookupSchedule::Ended(bool found) {
  looking_ = false;
  if (found) return backoff_.Reset();
  timer_ = loop_.RunAfter(backoff_.Next(), [this] { Look(); });
}

}  // namespace pagewire::client
