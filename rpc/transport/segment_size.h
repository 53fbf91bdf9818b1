// TCP segments that hold whole pages.
//
// A page arrives whole, and can be mapped, only if no segment ends inside it: the segment size must be a multiple of
// 4096 bytes. TCP_MAXSEG arranges that where the path's MTU has room for a page and the headers; one side setting it is
// enough for both directions, because each side takes the smaller of what it and its peer announce.
//
//   MTU     65536 (lo)   65535   9000   4168        4148           1500
//   IPv4      7 pages        7      2      1           1     no page fits
//   IPv6      7 pages        7      2      1     no page fits   no page fits
#pragma once

#include <absl/status/statusor.h>

#include "transport/socket_address.h"

namespace pagewire::transport {

// The value of TCP_MAXSEG for a path with this MTU in bytes and family AF_INET or AF_INET6: whole pages and, with
// `timestamps`, the 12 bytes of that option, which TCP_MAXSEG counts as data. At most 32767, the kernel's limit. 0: no
// page fits.
int SegmentBytesFor(int mtu, int family, bool timestamps);

// What the kernel takes the path's MTU to be. 0 when it does not say, e.g. because there is no route.
int PathMtu(const SocketAddress& to);

// Whether connections in this network namespace carry TCP timestamps (net.ipv4.tcp_timestamps).
bool TimestampsEnabled();

struct SegmentInfo {
  int bytes = 0;             // data bytes in one segment that we send; the peer's are taken to be as large
  bool whole_pages = false;  // a positive multiple of 4096
};

// Of a connected TCP socket. UNAVAILABLE when the system does not say.
absl::StatusOr<SegmentInfo> QuerySegments(int fd);

}  // namespace pagewire::transport
