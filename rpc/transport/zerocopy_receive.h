// getsockopt(TCP_ZEROCOPY_RECEIVE): pages of a socket's receive queue into an address range.
#pragma once

#include <sys/types.h>

#include <cstddef>

#include "transport/byte_stream.h"

namespace pagewire::transport {

struct ZerocopyReceiveResult {
  int error = 0;      // errno of the call, or the socket's; the figures below mean nothing then
  size_t mapped = 0;  // bytes, whole pages
  size_t behind = 0;  // bytes copied to MapRequest::behind
  size_t skip = 0;    // the kernel's recv_skip_hint
  size_t queued = 0;  // bytes left in the receive queue; one too many when the peer has closed
};

// One call on a TCP socket. EIO: the peer has closed and everything was taken. The addresses must have nothing mapped:
// the kernel is told so, which saves it a flush.
ZerocopyReceiveResult ZerocopyReceive(int fd, const MapRequest& request);

}  // namespace pagewire::transport
