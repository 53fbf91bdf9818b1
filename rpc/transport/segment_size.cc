#include "transport/segment_size.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/unique_fd.h"
#include "transport/page.h"
#include "transport/socket_error.h"
#include "transport/system_setting.h"

namespace pagewire::transport {
namespace {

constexpr int kTimestampBytes = 12;
constexpr int kMaxSegmentBytes = 32767;  // MAX_TCP_WINDOW in the kernel's tcp.h

// IP and TCP headers without options.
constexpr int HeaderBytes(int family) { return family == AF_INET6 ? 60 : 40; }

}  // namespace

int SegmentBytesFor(int mtu, int family, bool timestamps) {
  const int options = timestamps ? kTimestampBytes : 0;
  const int room = std::min(mtu - HeaderBytes(family), kMaxSegmentBytes) - options;
  const int pages = room / static_cast<int>(kPageBytes);
  return pages <= 0 ? 0 : pages * static_cast<int>(kPageBytes) + options;
}

int PathMtu(const SocketAddress& to) {
  // Nothing is sent: connecting a datagram socket only looks the route up.
  const base::UniqueFd fd(socket(to.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() || connect(fd.get(), to.get(), to.length()) != 0) return 0;
  int mtu = 0;
  socklen_t length = sizeof(mtu);
  const bool v6 = to.family() == AF_INET6;
  const int failed = getsockopt(fd.get(), v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu, &length);
  return failed != 0 ? 0 : mtu;
}

bool TimestampsEnabled() { return ReadSystemSetting("net/ipv4/tcp_timestamps").value_or(1) != 0; }

absl::StatusOr<SegmentInfo> QuerySegments(int fd) {
  tcp_info info = {};
  socklen_t length = sizeof(info);
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return SocketError("TCP_INFO", errno);
  const int bytes = static_cast<int>(info.tcpi_snd_mss);
  return SegmentInfo{bytes, bytes > 0 && bytes % static_cast<int>(kPageBytes) == 0};
}

}  // namespace pagewire::transport
