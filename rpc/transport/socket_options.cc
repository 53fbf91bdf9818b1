#include "transport/socket_options.h"

#include <absl/strings/str_cat.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pagewire/log.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>
#include <string_view>

#include "transport/socket_address.h"
#include "transport/socket_error.h"
#include "transport/system_setting.h"

namespace pagewire::transport {
namespace {

constexpr int64_t kMostInt = std::numeric_limits<int>::max();

std::string Refused(const char* name, const std::string& value, int error) {
  return absl::StrCat("the system refused socket option ", name, " = ", value, ": ", ErrnoText(error));
}

absl::Status Require(int fd, int level, int option, const char* name, int64_t value) {
  const int bounded = static_cast<int>(std::clamp<int64_t>(value, 0, kMostInt));
  if (setsockopt(fd, level, option, &bounded, sizeof(bounded)) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(Refused(name, absl::StrCat(bounded), errno));
}

// For options that only affect speed. `logged` keeps one refusal from filling the log.
void Wish(int fd, int option, const char* name, const void* value, socklen_t length, const std::string& text,
          std::atomic<bool>& logged) {
  if (setsockopt(fd, IPPROTO_TCP, option, value, length) == 0) return;
  const int error = errno;
  if (!logged.exchange(true)) Log(LogSeverity::kWarning, Refused(name, text, error) + "; going on without it");
}

void MakeRoomForWindow(int fd, size_t window_bytes) {
  // Half of the buffer at the least is for data; the kernel doubles what it is told for its bookkeeping besides.
  const int bytes = static_cast<int>(std::min<uint64_t>(2 * window_bytes, kMostInt / 2));
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == 0) return;
  const int64_t limit = ReadSystemSetting("net/core/rmem_max").value_or(0);
  if (limit >= bytes && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) == 0) return;
  static std::atomic<bool> logged = false;
  if (logged.exchange(true)) return;
  Log(LogSeverity::kInfo, absl::StrCat("net.core.rmem_max is ", limit, "; with ", bytes,
                                       " or more, chunks from peers that send faster than this process reads would "
                                       "stay on whole pages, and could be mapped"));
}

void ApplyWishes(int fd, const TcpOptions& options) {
  if (options.window_bytes != 0 && options.receive_buffer_bytes == 0) MakeRoomForWindow(fd, options.window_bytes);
  if (options.unsent_bytes != 0) {
    static std::atomic<bool> logged = false;
    const int bytes = static_cast<int>(std::min<uint64_t>(options.unsent_bytes, kMostInt));
    Wish(fd, TCP_NOTSENT_LOWAT, "TCP_NOTSENT_LOWAT", &bytes, sizeof(bytes), absl::StrCat(bytes), logged);
  }
  if (!options.congestion_control.empty()) {
    static std::atomic<bool> logged = false;
    const std::string& name = options.congestion_control;
    Wish(fd, TCP_CONGESTION, "TCP_CONGESTION", name.data(), name.size(), name, logged);
  }
}

}  // namespace

absl::Status ApplyTcpOptions(int fd, const TcpOptions& options) {
  if (SocketAddress::LocalOf(fd).family() == AF_UNIX) return absl::OkStatus();
  absl::Status status = Require(fd, IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY", 1);
  if (status.ok() && options.receive_buffer_bytes != 0) {
    status =
        Require(fd, SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF", std::min<uint64_t>(options.receive_buffer_bytes, kMostInt));
  }
  if (status.ok() && options.send_buffer_bytes != 0) {
    status = Require(fd, SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF", std::min<uint64_t>(options.send_buffer_bytes, kMostInt));
  }
  if (status.ok() && options.max_segment_bytes != 0) {
    status = Require(fd, IPPROTO_TCP, TCP_MAXSEG, "TCP_MAXSEG", options.max_segment_bytes);
  }
  if (status.ok() && options.user_timeout != absl::ZeroDuration()) {
    status = Require(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT",
                     absl::ToInt64Milliseconds(absl::Ceil(options.user_timeout, absl::Milliseconds(1))));
  }
  if (status.ok()) ApplyWishes(fd, options);
  return status;
}

void UseLocalCongestionControl(int fd) {
  // The kernel's own default, which every user may choose.
  constexpr std::string_view kCubic = "cubic";
  static_cast<void>(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kCubic.data(), kCubic.size()));
}

}  // namespace pagewire::transport
