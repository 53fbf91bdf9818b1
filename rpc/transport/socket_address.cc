#include "transport/socket_address.h"

#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace pagewire::transport {

SocketAddress::SocketAddress(const sockaddr* address, socklen_t length)
    : length_(std::min<socklen_t>(length, sizeof(storage_))) {
  std::memcpy(&storage_, address, length_);
}

SocketAddress SocketAddress::LocalOf(int fd) {
  SocketAddress address;
  address.length_ = sizeof(address.storage_);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.length_) != 0) return {};
  return address;
}

SocketAddress SocketAddress::PeerOf(int fd) {
  SocketAddress address;
  address.length_ = sizeof(address.storage_);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.length_) != 0) return {};
  return address;
}

template <typename Address>
Address SocketAddress::As() const {
  static_assert(sizeof(Address) <= sizeof(storage_));
  Address address;
  std::memcpy(&address, &storage_, sizeof(address));
  return address;
}

uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(As<sockaddr_in>().sin_port);
  if (family() == AF_INET6) return ntohs(As<sockaddr_in6>().sin6_port);
  return 0;
}

std::string SocketAddress::path() const {
  constexpr size_t kPathOffset = offsetof(sockaddr_un, sun_path);
  if (family() != AF_UNIX || length_ <= kPathOffset) return "";
  const auto address = As<sockaddr_un>();
  return std::string(address.sun_path, strnlen(address.sun_path, length_ - kPathOffset));
}

bool SocketAddress::is_loopback() const {
  if (family() == AF_UNIX) return true;
  if (family() == AF_INET) return ntohl(As<sockaddr_in>().sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  if (family() != AF_INET6) return false;
  const in6_addr host = As<sockaddr_in6>().sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&host) || (IN6_IS_ADDR_V4MAPPED(&host) && host.s6_addr[12] == IN_LOOPBACKNET);
}

bool SocketAddress::is_any() const {
  if (family() == AF_INET) return As<sockaddr_in>().sin_addr.s_addr == INADDR_ANY;
  if (family() != AF_INET6) return false;
  const in6_addr host = As<sockaddr_in6>().sin6_addr;
  return IN6_IS_ADDR_UNSPECIFIED(&host);
}

bool SocketAddress::SameHost(const SocketAddress& other) const {
  if (family() != other.family()) return false;
  if (family() == AF_UNIX) return true;
  if (family() == AF_INET) return As<sockaddr_in>().sin_addr.s_addr == other.As<sockaddr_in>().sin_addr.s_addr;
  if (family() != AF_INET6) return false;
  const auto mine = As<sockaddr_in6>();
  const auto theirs = other.As<sockaddr_in6>();
  return IN6_ARE_ADDR_EQUAL(&mine.sin6_addr, &theirs.sin6_addr) && mine.sin6_scope_id == theirs.sin6_scope_id;
}

std::string SocketAddress::host() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (family() == AF_INET) {
    const in_addr address = As<sockaddr_in>().sin_addr;
    inet_ntop(AF_INET, &address, text, sizeof(text));
  } else if (family() == AF_INET6) {
    const in6_addr address = As<sockaddr_in6>().sin6_addr;
    inet_ntop(AF_INET6, &address, text, sizeof(text));
  }
  return text;
}

std::string SocketAddress::ToString() const {
  if (family() == AF_INET) return absl::StrCat("ipv4:", host(), ":", port());
  if (family() == AF_INET6) {
    const auto address = As<sockaddr_in6>();
    std::string scope;
    if (address.sin6_scope_id != 0) {
      char name[IF_NAMESIZE];
      const bool known = if_indextoname(address.sin6_scope_id, name) != nullptr;
      scope = known ? absl::StrCat("%", name) : absl::StrCat("%", address.sin6_scope_id);
    }
    return absl::StrCat("ipv6:[", host(), scope, "]:", port());
  }
  if (family() == AF_UNIX) return absl::StrCat("unix:", path());
  return "unknown";
}

}  // namespace pagewire::transport
