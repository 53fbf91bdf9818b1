// Tells a busy peer from one that floods.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <algorithm>

namespace pagewire::transport {

// A token bucket for frames that cost the receiver work without moving anything. Time is passed in.
class FloodGuard {
 public:
  // `burst` at once, `per_second` for ever.
  struct Limit {
    const char* what;
    double burst;
    double per_second;
    const char* advice;  // to whom it hits, or empty
  };
  explicit FloodGuard(const Limit& limit) : limit_(limit), tokens_(limit.burst) {}

  // Counts one. RESOURCE_EXHAUSTED when there were too many.
  absl::Status Count(absl::Time now) {
    if (last_ != absl::InfinitePast()) {
      tokens_ = std::min(limit_.burst, tokens_ + absl::ToDoubleSeconds(now - last_) * limit_.per_second);
    }
    last_ = now;
    if (tokens_ < 1) {
      return absl::ResourceExhaustedError(absl::StrCat("flood of ", limit_.what, ": more than ", limit_.burst,
                                                       " at once and ", limit_.per_second, " per second",
                                                       limit_.advice));
    }
    tokens_ -= 1;
    return absl::OkStatus();
  }

 private:
  const Limit limit_;
  double tokens_;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace pagewire::transport
