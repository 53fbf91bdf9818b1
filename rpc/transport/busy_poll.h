// Whether a loop with nothing to do polls for a while before it sleeps. To be woken takes longer than a small call
// takes altogether, so polling is worth its time where news comes soon; where it does not, it is time taken from
// others, from the very thread that is waited for if there is one processor. So it is done only where news has been
// coming soon, and less and less often where that turns out wrong.
#pragma once

#include <absl/time/time.h>

namespace pagewire::transport {

// Pure: told what happened, never looks at a clock. One thread.
class BusyPoll {
 public:
  // `limit`: how long to poll at most; zero or less: never.
  explicit BusyPoll(absl::Duration limit) : limit_(limit) {}

  // How long to poll now, before sleeping; zero: not at all.
  absl::Duration Next() const { return polling_ ? limit_ : absl::ZeroDuration(); }

  // It was polled for that long, and there was news or not.
  void OnPolled(bool news) {
    if (!news) {
      polling_ = false;
      soon_ = 0;
      needed_ = needed_ < kMostNeeded ? 2 * needed_ : kMostNeeded;
    } else if (++hits_ == kHitsToForgive) {
      hits_ = 0;
      needed_ = needed_ > kFirstNeeded ? needed_ / 2 : kFirstNeeded;
    }
  }

  // It slept so long until there was news.
  void OnSlept(absl::Duration slept) {
    if (slept > limit_) {
      soon_ = 0;
    } else if (++soon_ >= needed_) {
      polling_ = true;
    }
  }

 private:
  // After so many sleeps in a row, all shorter than the limit, polling begins; twice as many after each time that it
  // was in vain. With the most, polls in vain cost less than a tenth of the time that passes: 50 µs after 1024 sleeps.
  static constexpr int kFirstNeeded = 8;
  static constexpr int kMostNeeded = 1024;
  static constexpr int kHitsToForgive = 64;

  const absl::Duration limit_;
  bool polling_ = false;
  int soon_ = 0;
  int needed_ = kFirstNeeded;
  int hits_ = 0;
};

// The limit that this process's loops have: PAGEWIRE_BUSY_POLL_US of the environment, 0 to 1000 microseconds, where 0
// turns it off; without it 50 µs, what the kernel's own documentation recommends for net.core.busy_poll, or 0 where the
// process may use one processor only. Read once.
absl::Duration BusyPollLimit();

}  // namespace pagewire::transport
