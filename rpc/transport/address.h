// The texts that name servers: targets to connect to and addresses to listen on.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "transport/socket_address.h"

namespace pagewire::transport {

// What a target or a listening address means: addresses, or a name that must be looked up.
struct Target {
  std::string text;                      // as given, for messages
  std::vector<SocketAddress> addresses;  // of literals, to be tried in turn; otherwise host and port are set
  std::string host;
  uint16_t port = 0;
};

// Reads "ipv4:1.2.3.4:5", "ipv6:[::1]:5", "unix:/path", "unix:name", "dns:///host:port", "dns:host:port", "host:port",
// "1.2.3.4:5" and "[::1]:5"; after "ipv4:" and "ipv6:" several, with commas between them. Ports are 1 to 65535.
// INVALID_ARGUMENT with the text and what was expected.
absl::StatusOr<Target> ParseTarget(std::string_view text);

// One address in the same forms, with port 0 for a free one.
absl::StatusOr<Target> ParseListeningAddress(std::string_view text);

// The target's addresses, in the order in which they should be tried; at least one. Blocks in getaddrinfo when the
// target is a name: not on a loop. UNAVAILABLE when the name has no address or cannot be looked up now.
absl::StatusOr<std::vector<SocketAddress>> Resolve(const Target& target);

}  // namespace pagewire::transport
