// Tells a busy peer from one that floods.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <algorithm>

namespace pagewire::transport {

// A token bucket for frames that cost the receiver work without moving anything: `burst` at once, `per_second` for
// ever. Time is passed in.
class FloodGuard {
 public:
  FloodGuard(const char* what, double burst, double per_second)
      : what_(what), burst_(burst), per_second_(per_second), tokens_(burst) {}

  // Counts one. RESOURCE_EXHAUSTED when there were too many.
  absl::Status Count(absl::Time now) {
    if (last_ != absl::InfinitePast()) {
      tokens_ = std::min(burst_, tokens_ + absl::ToDoubleSeconds(now - last_) * per_second_);
    }
    last_ = now;
    if (tokens_ < 1) {
      return absl::ResourceExhaustedError(
          absl::StrCat("flood of ", what_, ": more than ", burst_, " at once and ", per_second_, " per second"));
    }
    tokens_ -= 1;
    return absl::OkStatus();
  }

 private:
  const char* what_;
  double burst_;
  double per_second_;
  double tokens_;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace pagewire::transport
