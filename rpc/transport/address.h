// Addresses of sockets, and the texts that name them.
#pragma once

#include <absl/status/statusor.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pagewire::transport {

// An IPv4, IPv6 or Unix socket address. A value.
class SocketAddress {
 public:
  SocketAddress() = default;  // family() is AF_UNSPEC

  // Copies what the kernel or getaddrinfo returned. Longer addresses than any of the three families has are cut off.
  SocketAddress(const sockaddr* address, socklen_t length);

  static SocketAddress LocalOf(int fd);  // getsockname; AF_UNSPEC when that fails
  static SocketAddress PeerOf(int fd);   // getpeername; AF_UNSPEC when that fails

  int family() const { return storage_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }

  uint16_t port() const;                            // 0 for Unix sockets
  bool is_loopback() const;                         // 127.0.0.0/8, ::1, ::ffff:127.0.0.0/104; Unix sockets too
  std::string path() const;                         // of a Unix socket; else empty. A client's end has none
  bool SameHost(const SocketAddress& other) const;  // the same address but for the port

  // As a target: "ipv4:127.0.0.1:7070", "ipv6:[::1]:7070", "unix:/run/x", "unix:" for a socket without a name.
  std::string ToString() const;

 private:
  sockaddr_storage storage_ = {};
  socklen_t length_ = 0;
};

// What a target or a listening address means: an address, or a name that must be looked up.
struct Target {
  std::string text;                      // as given, for messages
  std::optional<SocketAddress> address;  // set for literals; else host and port are
  std::string host;
  uint16_t port = 0;
};

// Reads "ipv4:1.2.3.4:5", "ipv6:[::1]:5", "unix:/path", "unix:name", "dns:///host:port", "dns:host:port", "host:port",
// "1.2.3.4:5" and "[::1]:5". Ports are 1 to 65535. INVALID_ARGUMENT with the text and what was expected.
absl::StatusOr<Target> ParseTarget(std::string_view text);

// The same forms, with port 0 for a free one.
absl::StatusOr<Target> ParseListeningAddress(std::string_view text);

// The target's addresses, in the order in which they should be tried; at least one. Blocks in getaddrinfo when the
// target is a name: not on a loop. UNAVAILABLE when the name has no address or cannot be looked up now.
absl::StatusOr<std::vector<SocketAddress>> Resolve(const Target& target);

}  // namespace pagewire::transport
