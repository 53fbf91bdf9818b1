#include "transport/socket_stream.h"

#include <absl/strings/str_cat.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cassert>
#include <cerrno>
#include <utility>

#include "base/status.h"
#include "transport/iovec_batch.h"
#include "transport/socket_error.h"

namespace pagewire::transport {
namespace {

// Whoever connects from a Unix socket has no name; then the one that was connected to tells more.
std::string PeerName(const SocketAddress& peer, const SocketAddress& local) {
  return (peer.family() == AF_UNIX && peer.path().empty() ? local : peer).ToString();
}

// Repeats a system call that a signal interrupted.
template <typename Call>
ssize_t Uninterrupted(Call call) {
  ssize_t result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

SocketStream::SocketStream(ConnectedSocket socket, EpollLoop& loop)
    : loop_(loop),
      fd_(std::move(socket.fd)),
      local_(SocketAddress::LocalOf(fd_.get())),
      is_tcp_(local_.family() != AF_UNIX),
      same_host_(socket.peer.is_loopback() || socket.peer.SameHost(local_)),
      peer_(PeerName(socket.peer, local_)),
      readiness_(loop) {}

SocketStream::~SocketStream() {
  if (registered_) loop_.RemoveFd(fd_.get());
}

void SocketStream::Start(Observer* observer) {
  readiness_.Start(observer);
  const absl::Status added = loop_.AddFd(fd_.get(), this);
  registered_ = added.ok();
  if (!registered_) {
    read_error_ = write_error_ =
        absl::UnavailableError(absl::StrCat("connection to ", peer_, " failed: ", added.message()));
  }
  readiness_.Notify(/*readable=*/true, /*writable=*/true);
}

void SocketStream::OnFdEvents(uint32_t events) {
  const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
  readiness_.CallNow(broken || (events & (EPOLLIN | EPOLLRDHUP)) != 0, broken || (events & EPOLLOUT) != 0);
}

IoResult SocketStream::Read(absl::Span<const iovec> into) {
  if (!read_error_.ok()) return IoResult::Failed(base::CloneStatus(read_error_));
  IovecBatch spans(into);
  if (spans.done()) return IoResult::Ok(0);
  const absl::Span<iovec> batch = spans.Take();
  msghdr message = {};
  message.msg_iov = batch.data();
  message.msg_iovlen = batch.size();
  const ssize_t count = Uninterrupted([&] { return recvmsg(fd_.get(), &message, 0); });
  if (count > 0) return IoResult::Ok(count);
  if (count < 0 && WouldBlock(errno)) return IoResult::Blocked();
  // A socket reports its error once. When Write got it, the end that Read is told is none that the peer made.
  if (count == 0 && write_error_.ok()) return IoResult::End();
  read_error_ = count == 0 ? write_error_ : Error("read", errno);
  if (write_error_.ok()) write_error_ = read_error_;
  return IoResult::Failed(base::CloneStatus(read_error_));
}

IoResult SocketStream::Write(absl::Span<const iovec> from, WriteOptions options) {
  assert(!write_closed_);
  if (!write_error_.ok()) return IoResult::Failed(base::CloneStatus(write_error_));
  size_t written = 0;
  IovecBatch spans(from);
  while (!spans.done()) {
    const absl::Span<iovec> batch = spans.Take();
    msghdr message = {};
    message.msg_iov = batch.data();
    message.msg_iovlen = batch.size();
    const int flags = MSG_NOSIGNAL | (options.end_of_record && is_tcp_ && spans.done() ? MSG_EOR : 0);
    const ssize_t count = Uninterrupted([&] { return sendmsg(fd_.get(), &message, flags); });
    if (count >= 0) {
      written += count;
      if (static_cast<size_t>(count) < spans.bytes()) break;
      continue;
    }
    if (!WouldBlock(errno)) write_error_ = Error("write", errno);
    if (written > 0) break;  // the error is for the next call
    return write_error_.ok() ? IoResult::Blocked() : IoResult::Failed(base::CloneStatus(write_error_));
  }
  return IoResult::Ok(written);
}

void SocketStream::CloseWrite() {
  if (std::exchange(write_closed_, true)) return;
  shutdown(fd_.get(), SHUT_WR);
}

void SocketStream::Abort() {
  if (is_tcp_) {
    // Sends RST, drops what is queued and returns every zero-copy completion; shutdown and close do not.
    sockaddr nobody = {};
    nobody.sa_family = AF_UNSPEC;
    static_cast<void>(connect(fd_.get(), &nobody, sizeof(nobody)));
  } else {
    shutdown(fd_.get(), SHUT_RDWR);
  }
  read_error_ = write_error_ = absl::CancelledError(absl::StrCat("connection to ", peer_, " was aborted by this side"));
}

bool SocketStream::SendQueueEmpty() {
  if (!write_error_.ok()) return false;
  int unacknowledged = 0;
  return ioctl(fd_.get(), SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
}

absl::Status SocketStream::Error(const char* action, int error) const {
  return absl::UnavailableError(absl::StrCat("connection to ", peer_, " failed: ", action, ": ", ErrnoText(error)));
}

}  // namespace pagewire::transport
