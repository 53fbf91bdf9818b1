// Addresses of sockets as the kernel has them.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace pagewire::transport {

// An IPv4, IPv6 or Unix socket address. A value.
class SocketAddress {
 public:
  SocketAddress() = default;  // family() is AF_UNSPEC

  // Copies what the kernel or getaddrinfo returned; what is longer than sockaddr_storage is cut off.
  SocketAddress(const sockaddr* address, socklen_t length);

  static SocketAddress LocalOf(int fd);  // getsockname; AF_UNSPEC when that fails
  static SocketAddress PeerOf(int fd);   // getpeername; AF_UNSPEC when that fails

  int family() const { return storage_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }

  uint16_t port() const;     // 0 for Unix sockets
  std::string host() const;  // the address alone: "127.0.0.1", "::1"; empty for Unix sockets
  std::string path() const;  // of a Unix socket; else empty. A client's end has none
  bool is_loopback() const;  // 127.0.0.0/8, ::1, and the former inside IPv6; Unix sockets too
  bool is_any() const;       // 0.0.0.0 or ::

  // The same host's address, whatever the port.
  bool SameHost(const SocketAddress& other) const;

  // As a target: "ipv4:127.0.0.1:7070", "ipv6:[::1]:7070", "unix:/run/x", "unix:" for a socket without a name.
  std::string ToString() const;

 private:
  // The kernel's structures, copied out: storage_ has another type. Only for that family.
  template <typename Address>
  Address As() const;

  sockaddr_storage storage_ = {};
  socklen_t length_ = 0;
};

}  // namespace pagewire::transport
