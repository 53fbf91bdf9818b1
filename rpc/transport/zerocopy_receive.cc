#include "transport/zerocopy_receive.h"

// Not with <netinet/tcp.h>, which defines some of the same names.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <limits>

#include "transport/page.h"

namespace pagewire::transport {

ZerocopyReceiveResult ZerocopyReceive(int fd, const MapRequest& request) {
  // The kernel's length is 32 bits.
  constexpr size_t kMost = RoundDownToPage(std::numeric_limits<int32_t>::max());
  tcp_zerocopy_receive call = {};
  call.address = reinterpret_cast<uintptr_t>(request.address);
  call.length = static_cast<uint32_t>(std::min(request.length, kMost));
  if (!request.behind.empty()) {
    call.copybuf_address = reinterpret_cast<uintptr_t>(request.behind.data());
    call.copybuf_len = static_cast<int32_t>(std::min(request.behind.size(), kMost));
  }
  call.flags = TCP_RECEIVE_ZEROCOPY_FLAG_TLB_CLEAN_HINT;
  socklen_t size = sizeof(call);
  int failed;
  do {
    failed = getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &call, &size);
  } while (failed != 0 && errno == EINTR);
  ZerocopyReceiveResult result;
  if (failed != 0) {
    result.error = errno;
  } else if (call.err != 0) {
    result.error = -call.err;
  } else {
    result.mapped = call.length;
    result.behind = call.copybuf_len > 0 ? call.copybuf_len : 0;
    result.skip = call.recv_skip_hint;
    result.queued = call.inq;
  }
  return result;
}

}  // namespace pagewire::transport
