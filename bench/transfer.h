// How fast bytes move, and what that costs each side.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>

#include "transfer_service.h"

namespace pagewire::bench {

struct TransferOptions {
  // put, get: payloads one way. echo: messages alone. mixed: echo, one at a time, alone and then beside `inflight` puts
  // on the same channel. forward: put to a relay that puts to a sink. fanout: the same to `fanout` sinks.
  std::string workload;
  uint64_t payload_bytes = 0;
  uint64_t message_bytes = 0;
  int inflight = 1;
  int fanout = 3;
  uint32_t connections = 1;  // ChannelOptions::connections_per_peer
  bool touch = false;        // senders write and receivers read every byte
  // Handlers and completions run on the loops (RegisterInlineService, ChannelOptions::inline_completions), as suits
  // what is over in a microsecond. Not with `touch`.
  bool on_loops = true;
  bool digests = false;  // ChannelOptions::payload_digests
  TransferPaths paths;   // of all processes
  std::string target;    // a server of ServeTransfers, maybe on another host; empty: one is started
  absl::Duration duration;
};

// The result as one line of JSON, or empty after an error that was printed. Servers are processes of their own: called
// before anything else of the library is used.
std::string RunTransfer(const TransferOptions& options);

// Serves puts, gets and echoes until it is killed, on five ports from that of `address` on: the first with paths auto,
// the others with copy/copy, copy/map, zerocopy/copy and zerocopy/map. Does not return but for errors.
int ServeTransfers(const std::string& address, bool touch);

}  // namespace pagewire::bench
