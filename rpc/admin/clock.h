// How long something took.
#pragma once

#include <absl/time/time.h>

#include <chrono>
#include <functional>

namespace pagewire::admin {

// What time it is, from any beginning. Any thread.
using Clock = std::function<absl::Duration()>;

// `clock`, or the system's that nobody sets if it is null.
inline Clock OrSteadyClock(Clock clock) {
  if (clock != nullptr) return clock;
  return [] { return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch()); };
}

}  // namespace pagewire::admin
