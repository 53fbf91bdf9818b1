// How long to wait before the next attempt to connect.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <functional>
#include <random>
#include <utility>

namespace pagewire::client {

// What production passes to a Backoff: values in [0, 1) that differ from process to process.
inline std::function<double()> RandomFractions() {
  return [bits = std::minstd_rand(std::random_device()())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(bits);
  };
}

// gRPC's connection backoff: grows by 1.6 from the first delay to the longest, each with 20 % jitter. Randomness is
// passed in: a function that returns a value in [0, 1).
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration longest, std::function<double()> random)
      : first_(first), longest_(longest), random_(std::move(random)), next_(first) {}

  absl::Duration Next() {
    const absl::Duration delay = std::min(next_, longest_) * (0.8 + 0.4 * random_());
    next_ = std::min(next_ * 1.6, longest_);
    return delay;
  }

  void Reset() { next_ = first_; }

 private:
  const absl::Duration first_;
  const absl::Duration longest_;
  const std::function<double()> random_;
  absl::Duration next_;
};

}  // namespace pagewire::client
