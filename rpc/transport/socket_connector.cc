#include "transport/socket_connector.h"

#include <absl/strings/str_cat.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "transport/segment_size.h"
#include "transport/socket_error.h"

namespace pagewire::transport {
namespace {

int PendingError(int fd) {
  int error = 0;
  socklen_t length = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

}  // namespace

bool IsConnectedToItself(int fd) {
  const SocketAddress local = SocketAddress::LocalOf(fd);
  const SocketAddress peer = SocketAddress::PeerOf(fd);
  return local.family() != AF_UNIX && local.SameHost(peer) && local.port() == peer.port();
}

SocketConnector::SocketConnector(EpollLoop& loop, std::vector<SocketAddress> addresses, ConnectOptions options,
                                 Done done)
    : loop_(loop),
      addresses_(std::move(addresses)),
      options_(std::move(options)),
      done_(std::move(done)),
      give_up_(loop.Now() + options_.timeout) {
  timer_ = loop_.RunAfter(absl::ZeroDuration(), [this] { TryNext(); });
}

SocketConnector::~SocketConnector() { EndAttempt(); }

void SocketConnector::EndAttempt() {
  loop_.CancelTimer(timer_);
  if (fd_.valid()) loop_.RemoveFd(fd_.get());
  fd_.Reset();
}

void SocketConnector::TryNext() {
  while (next_ < addresses_.size()) {
    const absl::Duration left = give_up_ - loop_.Now();
    const absl::Duration share = left / static_cast<int64_t>(addresses_.size() - next_);
    const SocketAddress& address = addresses_[next_++];
    if (left <= absl::ZeroDuration()) {
      AddFailure(address, "no time left to try it");
      continue;
    }
    fd_.Reset(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd_.valid()) {
      AddFailure(address, ErrnoText(errno));
      continue;
    }
    if (absl::Status refused = ApplyTcpOptions(fd_.get(), OptionsFor(address)); !refused.ok())
      return Finish(std::move(refused));
    if (connect(fd_.get(), address.get(), address.length()) == 0) return Connected();
    if (errno != EINPROGRESS && errno != EINTR) {
      AddFailure(address, ErrnoText(errno));
      continue;
    }
    if (absl::Status refused = loop_.AddFd(fd_.get(), this); !refused.ok()) return Finish(std::move(refused));
    timer_ = loop_.RunAfter(share, [this, share] { AttemptFailed("no answer in " + absl::FormatDuration(share)); });
    return;
  }
  Finish(absl::UnavailableError(absl::StrCat("cannot connect to ", failures_)));
}

TcpOptions SocketConnector::OptionsFor(const SocketAddress& address) const {
  TcpOptions tcp = options_.tcp;
  if (tcp.whole_page_segments && tcp.max_segment_bytes == 0 && address.family() != AF_UNIX) {
    tcp.max_segment_bytes = SegmentBytesFor(PathMtu(address), address.family(), TimestampsEnabled());
  }
  return tcp;
}

void SocketConnector::OnFdEvents(uint32_t) {
  if (const int error = PendingError(fd_.get()); error != 0) return AttemptFailed(ErrnoText(error));
  if (SocketAddress::PeerOf(fd_.get()).family() != AF_UNSPEC) Connected();
}

void SocketConnector::Connected() {
  if (IsConnectedToItself(fd_.get())) return AttemptFailed(ErrnoText(ECONNREFUSED));
  loop_.RemoveFd(fd_.get());
  Finish(ConnectedSocket{std::move(fd_), addresses_[next_ - 1]});
}

void SocketConnector::AttemptFailed(const std::string& why) {
  EndAttempt();
  AddFailure(addresses_[next_ - 1], why);
  TryNext();
}

void SocketConnector::AddFailure(const SocketAddress& address, const std::string& why) {
  absl::StrAppend(&failures_, failures_.empty() ? "" : "; ", address.ToString(), ": ", why);
}

void SocketConnector::Finish(absl::StatusOr<ConnectedSocket> result) {
  EndAttempt();
  // Last and from a local: it may destroy the connector.
  Done done = std::move(done_);
  std::move(done)(std::move(result));
}

}  // namespace pagewire::transport
