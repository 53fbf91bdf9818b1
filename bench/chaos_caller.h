// One thread of chaos: makes one random call after the other.
#pragma once

#include <absl/time/clock.h>
#include <pagewire/pagewire.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

#include "bench.pagewire.h"
#include "chaos_findings.h"

namespace pagewire::bench {

// What all callers share.
struct ChaosWorld {
  std::string target;
  ChaosFindings findings;
  std::atomic<int64_t> in_flight = 0;  // calls that nobody waits for
};

// No call takes longer: those without another deadline get this one.
inline constexpr absl::Duration kLongestCall = absl::Seconds(10);

class ChaosCaller {
 public:
  ChaosCaller(ChaosWorld& world, uint64_t seed) : world_(world), random_(seed) { Reconnect(); }

  // Makes a call, or starts one that ends by itself.
  void Step();

  // When the call that is under way was started; any thread.
  absl::Time busy_since() const { return absl::FromUnixMicros(busy_since_us_); }

 private:
  // One call: its context with a deadline, maybe a canceller, and its job.
  struct Call {
    ClientContext context;
    Job job;
    std::stop_source stop;
  };
  std::shared_ptr<Call> MakeCall(uint64_t most_bytes);
  void Reconnect();
  bool Chance(uint64_t one_in) { return random_() % one_in == 0; }

  void Unary();
  void UnaryWithCallback();
  void UnaryInCoroutine();
  void Collect();
  void Produce();
  void Chat();
  void Pour();
  void Draw();
  void Abandon();

  ChaosWorld& world_;
  std::mt19937_64 random_;
  std::unique_ptr<Bench::Stub> stub_;
  std::atomic<int64_t> busy_since_us_ = absl::ToUnixMicros(absl::Now());
};

}  // namespace pagewire::bench
