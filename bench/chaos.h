// Random calls of all kinds, cancelled, timed out and abandoned at random, while channels come and go and the server
// is restarted: whatever happens, a call ends once, in time, with a status that fits, and nothing is lost.
#pragma once

#include <absl/time/time.h>

#include <cstdint>

namespace pagewire::bench {

struct ChaosOptions {
  absl::Duration duration = absl::Seconds(60);
  uint64_t seed = 1;
  int threads = 6;
};

// Prints what happened as one line of JSON. 0 when nothing was wrong; a call that does not end ends the process.
int RunChaos(const ChaosOptions& options);

}  // namespace pagewire::bench
