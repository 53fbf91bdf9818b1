// How fast bytes move, and what that costs each side.
#pragma once

#include <pagewire/pagewire.h>

#include <cstdint>
#include <string>
#include <vector>

#include "harness/program.h"

namespace pagewire::bench {

struct TransferPaths {
  SendPath send = SendPath::kAuto;
  ReceivePath receive = ReceivePath::kAuto;
};

// Client and server are both written in the form: blocking, callback or coroutine.
// More workloads: forward: put to a relay that puts to a sink. fanout: the same to `fanout` sinks.
struct TransferOptions : Options {
  int fanout = 3;
  uint32_t connections = 1;  // ChannelOptions::connections_per_peer
  // Payloads are made, and taken, piece by piece: the option (pagewire.piecewise).
  bool piecewise = false;
  // Handlers and completions run on the loops (RegisterInlineService, ChannelOptions::inline_completions), as suits
  // what is over in a microsecond. Not with `touch`, nor where handlers wait for pieces.
  bool on_loops = true;
  bool digests = false;  // ChannelOptions::payload_digests
  TransferPaths paths;   // of all processes
  std::string target;    // a server of ServeTransfers, maybe on another host; empty: one is started
};

std::vector<Form> TransferForms();

// The result as one line of JSON, or empty after an error that was printed. Servers are processes of their own: called
// before anything else of the library is used.
std::string RunTransfer(const TransferOptions& options);

// Serves puts, gets and echoes until it is killed, on five ports from that of `address` on: the first with paths auto,
// the others with copy/copy, copy/map, zerocopy/copy and zerocopy/map. Does not return but for errors.
int ServeTransfers(const std::string& address, bool touch);

}  // namespace pagewire::bench
