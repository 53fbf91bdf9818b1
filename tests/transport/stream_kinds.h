// The streams that the conformance suite runs on.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "transport/byte_stream.h"
#include "transport/runner.h"
#include "transport/socket_address.h"
#include "transport/socket_options.h"

namespace pagewire::transport::testing {

using StreamPair = std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>>;

struct StreamKind {
  std::string name;
  std::function<std::unique_ptr<Runner>()> make_runner;
  // The first stream on the runner's loop 0, the second on loop 1; for sockets the first one connected.
  std::function<StreamPair(Runner&)> make_pair;
  bool has_reset = true;  // Abort is told apart from an end by the peer
  bool has_faults = false;
};

inline void PrintTo(const StreamKind& kind, std::ostream* out) { *out << kind.name; }

// Sockets over IPv4, IPv6 (where the machine has it) and Unix, in-process on threads and without: each as it is, under
// TLS, under faults from a seed, and with faults above and below TLS. PAGEWIRE_TEST_SEED sets the seed; it is part of
// peer(), which failures print.
std::vector<StreamKind> AllStreamKinds();

// Two streams connected through a listener on `address`.
StreamPair ConnectSockets(Runner& runner, const SocketAddress& address, const TcpOptions& options = TcpOptions());

// 127.0.0.1, [::1] with port 0; a Unix socket of a new name.
SocketAddress Ipv4Loopback();
SocketAddress Ipv6Loopback();
SocketAddress NewUnixAddress();

}  // namespace pagewire::transport::testing
