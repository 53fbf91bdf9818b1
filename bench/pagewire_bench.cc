// pagewire-bench --workload=NAME: what the framework does under a load, as one line of JSON.
#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include <absl/flags/usage.h>
#include <absl/time/time.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "chaos.h"
#include "idle_connections.h"
#include "stuck_reader.h"

ABSL_FLAG(std::string, workload, "",
          "chaos: random calls, cancels, deadlines and restarts; idle: memory of idle connections; stuck_reader: what "
          "the other streams of a connection keep of their throughput when one is not read");
ABSL_FLAG(int64_t, seconds, 60, "chaos: how long it runs");
ABSL_FLAG(uint64_t, seed, 1, "chaos: of what is random");
ABSL_FLAG(int32_t, threads, 6, "chaos: callers");
ABSL_FLAG(int32_t, connections, 10000, "idle: how many");
ABSL_FLAG(int32_t, streams, 1000, "stuck_reader: how many, with the one that is not read");
ABSL_FLAG(int32_t, rounds, 5, "stuck_reader: how often it is stuck");
ABSL_FLAG(uint64_t, payload_bytes, 0, "stuck_reader: with each message");

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("puts the framework under a load; --workload says which");
  absl::ParseCommandLine(argc, argv);
  const std::string workload = absl::GetFlag(FLAGS_workload);
  if (workload == "chaos") {
    return pagewire::bench::RunChaos({.duration = absl::Seconds(absl::GetFlag(FLAGS_seconds)),
                                      .seed = absl::GetFlag(FLAGS_seed),
                                      .threads = absl::GetFlag(FLAGS_threads)});
  }
  if (workload == "idle") return pagewire::bench::RunIdleConnections(absl::GetFlag(FLAGS_connections));
  if (workload == "stuck_reader") {
    return pagewire::bench::RunStuckReader({.streams = absl::GetFlag(FLAGS_streams),
                                            .rounds = absl::GetFlag(FLAGS_rounds),
                                            .payload_bytes = absl::GetFlag(FLAGS_payload_bytes)});
  }
  std::fprintf(stderr, "--workload=%s is none; there are chaos, idle and stuck_reader\n", workload.c_str());
  return 2;
}
