// pagewire-bench --workload=NAME: what the framework does under a load, as one line of JSON.
#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include <absl/flags/usage.h>
#include <absl/time/time.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "chaos.h"
#include "floor.h"
#include "harness/flags.h"
#include "harness/usage.h"
#include "idle_connections.h"
#include "stuck_reader.h"
#include "transfer.h"

ABSL_FLAG(int32_t, fanout, 3, "fanout: sinks");
ABSL_FLAG(uint32_t, connections_per_peer, 1, "put, get, echo, mixed: see ChannelOptions");
ABSL_FLAG(bool, payload_digests, false, "put, get, mixed: see ChannelOptions");
ABSL_FLAG(bool, until_queue_empty, false,
          "floor: buffers are used again when SIOCOUTQ says that the send queue is empty, not when acknowledged");
ABSL_FLAG(bool, tuned, true, "floor: sockets as the framework has them; false: as the system makes them");
ABSL_FLAG(bool, on_loops, true,
          "put, get, echo, mixed, forward, fanout: handlers and completions run on the loops (RegisterInlineService, "
          "ChannelOptions::inline_completions); not with --touch");
ABSL_FLAG(bool, piecewise, false, "put, get: payloads are made and taken piece by piece, of 256 KiB");
ABSL_FLAG(bool, count_allocations, false, "put, get, echo: calls of operator new for each call; a run of its own");
ABSL_FLAG(std::string, send_path, "auto", "of all processes");
ABSL_FLAG(std::string, receive_path, "auto", "of all processes");
ABSL_FLAG(std::string, target, "",
          "put, get, echo, mixed: a server that --workload=serve has started; empty: one is started here");
ABSL_FLAG(std::string, address, "0.0.0.0:7070", "serve: the first of five ports, see bench/transfer.h");
ABSL_FLAG(uint64_t, seed, 1, "chaos: of what is random");
ABSL_FLAG(int32_t, threads, 6, "chaos: callers");
ABSL_FLAG(int32_t, connections, 10000, "idle: how many");
ABSL_FLAG(int32_t, streams, 1000, "stuck_reader: how many, with the one that is not read");
ABSL_FLAG(int32_t, rounds, 5, "stuck_reader: how often it is stuck");
ABSL_FLAG(uint64_t, stream_payload_bytes, 0, "stuck_reader: with each message");

namespace pagewire::bench {
namespace {

absl::Duration Seconds(double otherwise) {
  const double seconds = absl::GetFlag(FLAGS_seconds);
  return absl::Seconds(seconds > 0 ? seconds : otherwise);
}

int Floor(const Options& common, const TransferPaths& paths) {
  FloorOptions options;
  options.send = paths.send == SendPath::kAuto ? SendPath::kCopy : paths.send;
  options.receive = paths.receive == ReceivePath::kAuto ? ReceivePath::kCopy : paths.receive;
  if (options.send == SendPath::kFile) return WrongUsage("--workload=floor has no --send_path=file");
  options.until_queue_empty = absl::GetFlag(FLAGS_until_queue_empty);
  options.tuned = absl::GetFlag(FLAGS_tuned);
  options.payload_bytes = common.payload_bytes;
  options.inflight = std::max(common.inflight, 1);
  options.touch = common.touch;
  options.duration = absl::Seconds(common.duration.count());
  return PrintResult(RunFloor(options));
}

int Transfer(Options common) {
  const std::optional<SendPath> send = ParseSendPath(absl::GetFlag(FLAGS_send_path));
  const std::optional<ReceivePath> receive = ParseReceivePath(absl::GetFlag(FLAGS_receive_path));
  if (!send.has_value()) return WrongUsage("--send_path: auto, copy, zerocopy, fixed, splice or file");
  if (!receive.has_value()) return WrongUsage("--receive_path: auto, copy or map");
  if (!PinToCpu(common.pin_cpu)) return 2;
  const TransferPaths paths = {*send, *receive};
  if (common.workload == "floor") return Floor(common, paths);
  if (!ChooseForm("pagewire-bench", TransferForms(), common)) return 2;
  common.count_allocations = absl::GetFlag(FLAGS_count_allocations);
  TransferOptions options;
  static_cast<Options&>(options) = std::move(common);
  options.fanout = absl::GetFlag(FLAGS_fanout);
  options.connections = absl::GetFlag(FLAGS_connections_per_peer);
  options.piecewise = absl::GetFlag(FLAGS_piecewise);
  options.on_loops = absl::GetFlag(FLAGS_on_loops);
  options.digests = absl::GetFlag(FLAGS_payload_digests);
  options.paths = paths;
  options.target = absl::GetFlag(FLAGS_target);
  return PrintResult(RunTransfer(options));
}

int Run() {
  if (absl::GetFlag(FLAGS_list)) {
    for (const Form& form : TransferForms()) std::puts(form.name.c_str());
    return 0;
  }
  const Options options = OptionsOfFlags();
  const std::string& workload = options.workload;
  for (const char* name : {"put", "get", "echo", "mixed", "forward", "fanout", "floor"}) {
    if (workload == name) return Transfer(options);
  }
  if (workload == "serve") return ServeTransfers(absl::GetFlag(FLAGS_address), options.touch);
  if (workload == "chaos") {
    return RunChaos(
        {.duration = Seconds(60), .seed = absl::GetFlag(FLAGS_seed), .threads = absl::GetFlag(FLAGS_threads)});
  }
  if (workload == "idle") return RunIdleConnections(absl::GetFlag(FLAGS_connections));
  if (workload == "stuck_reader") {
    return RunStuckReader({.streams = absl::GetFlag(FLAGS_streams),
                           .rounds = absl::GetFlag(FLAGS_rounds),
                           .payload_bytes = absl::GetFlag(FLAGS_stream_payload_bytes)});
  }
  return WrongUsage("--workload: put, get, echo, mixed, forward, fanout, floor, serve, chaos, idle or stuck_reader");
}

}  // namespace
}  // namespace pagewire::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "puts the framework under a load, which --workload says: put, get, echo, mixed, forward, fanout: how fast bytes "
      "move and what it costs; floor: the same for puts by hand over bare sockets; serve: the server of put, get and "
      "echo, for other hosts; chaos: random calls, cancels, deadlines and restarts; idle: memory of idle connections; "
      "stuck_reader: what the other streams of a connection keep of their throughput when one is not read. See "
      "bench/README.md");
  absl::ParseCommandLine(argc, argv);
  return pagewire::bench::Run();
}
