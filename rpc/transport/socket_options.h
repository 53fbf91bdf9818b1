// Options of TCP sockets.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstddef>
#include <string>

namespace pagewire::transport {

// Nagle's algorithm is always off. The rest holds for TCP only; other sockets ignore it.
struct TcpOptions {
  // SO_RCVBUF and SO_SNDBUF in bytes of payload memory (the kernel doubles them for its bookkeeping and silently cuts
  // them at net.core.rmem_max / wmem_max). 0: the kernel's autotuning, which setting them turns off.
  size_t receive_buffer_bytes = 0;
  size_t send_buffer_bytes = 0;

  // What the peer may have under way to us at most, in bytes: the receive buffer is made large enough that TCP's own
  // window stays above it, however slowly we read, because segments are cut where that window ends. Twice this, if the
  // process may exceed net.core.rmem_max or that allows it; else the kernel's autotuning is left alone and the log says
  // what to raise. 0, or receive_buffer_bytes set: nothing is done.
  size_t window_bytes = 0;

  // Connectors arrange TCP segments for whole pages (see segment_size.h), unless max_segment_bytes is set.
  bool whole_page_segments = true;

  // TCP_NOTSENT_LOWAT: a socket takes no more bytes while this many are unsent, so that a control frame waits behind
  // at most this much. 512 KiB: half a chunk of the largest size keeps a 10 Gbit/s link busy for 0.4 ms between two
  // wake-ups. 0: the kernel's own limit.
  size_t unsent_bytes = 512 << 10;

  // TCP_CONGESTION, for example "cubic". Empty: the system's default. One that the kernel lacks is passed over.
  std::string congestion_control = {};

  // TCP_MAXSEG. 0: as whole_page_segments says, or as the path's MTU gives it.
  int max_segment_bytes = 0;

  // TCP_USER_TIMEOUT: how long written bytes may stay unacknowledged before the connection fails. Zero: the system's
  // retransmission limit, about 15 minutes.
  absl::Duration user_timeout = absl::ZeroDuration();
};

// Applies `options` to a new socket; must be before listen or connect, because buffers and segment size are fixed with
// the handshake, and accepted sockets inherit them. What only affects speed (unsent_bytes, congestion_control) is
// logged once per process when the kernel refuses it. The rest fails with INVALID_ARGUMENT naming option and value.
absl::Status ApplyTcpOptions(int fd, const TcpOptions& options);

// For a connected TCP socket whose peer is on this host: no congestion control that paces what is sent (bbr), as there
// is nothing to be congested. docs/benchmarks/transfers.md has what that is worth. Left alone where the kernel refuses.
void UseLocalCongestionControl(int fd);

}  // namespace pagewire::transport
