#include "chaos.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <pagewire/pagewire.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "chaos_caller.h"
#include "chaos_server.h"
#include "seeded_bytes.h"

namespace pagewire::bench {
namespace {

// How much later than its deadline a call may end on a machine that does many things: sanitizers are slow.
constexpr absl::Duration kGrace = absl::Seconds(60);

void AbortIfStuck(const std::vector<std::unique_ptr<ChaosCaller>>& callers) {
  for (const auto& caller : callers) {
    if (absl::Now() - caller->busy_since() < kLongestCall + kGrace) continue;
    std::fprintf(stderr, "a call has not ended %s after its deadline\n", absl::FormatDuration(kGrace).c_str());
    std::abort();
  }
}

// Waits until `is_so`; false if it takes too long.
template <typename IsSo>
bool Becomes(IsSo is_so) {
  for (const absl::Time end = absl::Now() + kGrace; !is_so(); absl::SleepFor(absl::Milliseconds(10))) {
    if (absl::Now() > end) return false;
  }
  return true;
}

}  // namespace

int RunChaos(const ChaosOptions& options) {
  ChaosServer server(options.seed);
  ChaosWorld world;
  world.target = server.target();
  std::atomic<bool> over = false;
  {
    std::vector<std::unique_ptr<ChaosCaller>> callers;
    for (int i = 0; i < options.threads; ++i) {
      callers.push_back(std::make_unique<ChaosCaller>(world, options.seed * 1000 + i));
    }
    std::vector<std::jthread> threads;
    for (const auto& caller : callers) {
      threads.emplace_back([&over, &caller = *caller] {
        while (!over) caller.Step();
      });
    }
    for (const absl::Time end = absl::Now() + options.duration; absl::Now() < end; absl::SleepFor(absl::Seconds(1))) {
      AbortIfStuck(callers);
    }
    over = true;
    threads.clear();
    if (!Becomes([&] { return world.in_flight == 0; })) {
      world.findings.Wrong(absl::StrCat(world.in_flight.load(), " calls without a waiter have not ended"));
    }
  }
  server.Stop();
  if (!Becomes([] { return LentPayloads() == 0; })) {
    world.findings.Wrong(absl::StrCat(LentPayloads(), " payloads that were lent have not come back"));
  }
  if (!Becomes([] { return HeldBytes() == 0; })) world.findings.Wrong(absl::StrCat(HeldBytes(), " bytes are held"));
  if (!Becomes([] { return QuarantinedBytes() == 0; })) {
    world.findings.Wrong(absl::StrCat(QuarantinedBytes(), " bytes are quarantined"));
  }
  std::puts(world.findings.ToJson(server.restarts()).c_str());
  return world.findings.fine() ? 0 : 1;
}

}  // namespace pagewire::bench
