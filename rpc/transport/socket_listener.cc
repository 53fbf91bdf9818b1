#include "transport/socket_listener.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pagewire/log.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "transport/socket_error.h"

namespace pagewire::transport {
namespace {

// Connections accepted before the loop does something else.
constexpr int kAcceptsAtOnce = 64;
constexpr absl::Duration kShortageDelay = absl::Milliseconds(50);

base::UniqueFd OpenSpare() { return base::UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// Not on the loop's list of worries: the connection, or the way to it, died before it was accepted (accept(2)).
bool ConcernsOneConnection(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case EOPNOTSUPP:
      return true;
    default:
      return false;
  }
}

absl::Status Bind(int fd, const SocketAddress& address) {
  if (bind(fd, address.get(), address.length()) == 0) return absl::OkStatus();
  const int error = errno;
  if (error == EADDRINUSE && UnixSocketFile::RemoveStale(address) && bind(fd, address.get(), address.length()) == 0) {
    return absl::OkStatus();
  }
  return SocketError(absl::StrCat("cannot listen on ", address.ToString()), error);
}

absl::Status Prepare(int fd, const SocketAddress& address, const TcpOptions& options) {
  const int on = 1, off = 0;
  if (address.family() != AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.family() == AF_INET6 && address.is_any()) {
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  return ApplyTcpOptions(fd, options);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SocketListener>> SocketListener::Listen(const SocketAddress& address,
                                                                       const TcpOptions& options, EpollLoop& loop) {
  const std::string what = absl::StrCat("cannot listen on ", address.ToString());
  base::UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return SocketError(what, errno);
  if (const absl::Status ready = Prepare(fd.get(), address, options); !ready.ok()) return ready;
  if (const absl::Status bound = Bind(fd.get(), address); !bound.ok()) return bound;
  UnixSocketFile file(address);
  if (listen(fd.get(), SOMAXCONN) != 0) return SocketError(what, errno);
  return std::unique_ptr<SocketListener>(new SocketListener(std::move(fd), std::move(file), loop));
}

SocketListener::SocketListener(base::UniqueFd fd, UnixSocketFile file, EpollLoop& loop)
    : loop_(loop),
      fd_(std::move(fd)),
      address_(SocketAddress::LocalOf(fd_.get())),
      file_(std::move(file)),
      spare_(OpenSpare()) {}

SocketListener::~SocketListener() {
  if (!on_accept_) return;
  loop_.CancelTimer(retry_);
  loop_.RemoveFd(fd_.get());
}

absl::Status SocketListener::Start(OnAccept on_accept) {
  on_accept_ = std::move(on_accept);
  return loop_.AddFd(fd_.get(), this);
}

void SocketListener::OnFdEvents(uint32_t) { AcceptSome(); }

void SocketListener::AcceptSome() {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage storage;
    socklen_t length = sizeof(storage);
    auto* const address = reinterpret_cast<sockaddr*>(&storage);
    base::UniqueFd fd(accept4(fd_.get(), address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      short_of_resources_ = false;
      on_accept_({std::move(fd), SocketAddress(address, length)});
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (!ConcernsOneConnection(errno)) {
      OnShortage(errno);
      return RetryAfter(kShortageDelay);
    }
  }
  RetryAfter(absl::ZeroDuration());
}

void SocketListener::OnShortage(int error) {
  if (!std::exchange(short_of_resources_, true)) {
    Log(LogSeverity::kWarning,
        absl::StrCat("cannot accept connections on ", address_.ToString(), " for now: ", ErrnoText(error)));
  }
  if (error != EMFILE && error != ENFILE) return;
  spare_.Reset();
  base::UniqueFd refused(accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  refused.Reset();
  spare_ = OpenSpare();
}

void SocketListener::RetryAfter(absl::Duration delay) {
  loop_.CancelTimer(retry_);
  retry_ = loop_.RunAfter(delay, [this] { AcceptSome(); });
}

}  // namespace pagewire::transport
