#include "transport/socket_stream.h"

#include <absl/strings/str_cat.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/status.h"
#include "base/uninterrupted.h"
#include "transport/error_queue.h"
#include "transport/iovec_batch.h"
#include "transport/kernel_support.h"
#include "transport/page.h"
#include "transport/segment_size.h"
#include "transport/socket_error.h"
#include "transport/socket_options.h"
#include "transport/zerocopy_receive.h"

namespace pagewire::transport {
namespace {

// Whoever connects from a Unix socket has no name; then the one that was connected to tells more.
std::string PeerName(const SocketAddress& peer, const SocketAddress& local) {
  return (peer.family() == AF_UNIX && peer.path().empty() ? local : peer).ToString();
}

PagePaths PathsOf(int fd, bool is_tcp) {
  PagePaths paths;
  if (!is_tcp) return paths;
  const KernelSupport& kernel = ProbeKernel();
  paths.zerocopy = kernel.send_zerocopy.ok();
  paths.splice = true;
  paths.map = kernel.receive_map.ok();
  const absl::StatusOr<SegmentInfo> segments = QuerySegments(fd);
  paths.whole_page_segments = segments.ok() && segments->whole_pages;
  return paths;
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

SocketStream::SocketStream(ConnectedSocket socket, EpollLoop& loop)
    : loop_(loop),
      fd_(std::move(socket.fd)),
      local_(SocketAddress::LocalOf(fd_.get())),
      is_tcp_(local_.family() != AF_UNIX),
      same_host_(socket.peer.is_loopback() || socket.peer.SameHost(local_)),
      page_paths_(PathsOf(fd_.get(), is_tcp_)),
      peer_(PeerName(socket.peer, local_)),
      readiness_(loop) {}

SocketStream::~SocketStream() {
  if (registered_) loop_.RemoveFd(fd_.get());
  if (attempt_ != nullptr) attempt_->gone = true;
}

void SocketStream::Start(Observer* observer) {
  if (is_tcp_ && same_host_) UseLocalCongestionControl(fd_.get());
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
  if ((events & (EPOLLHUP | EPOLLRDHUP)) != 0) peer_closed_ = true;
  readiness_.CallNow(broken || (events & (EPOLLIN | EPOLLRDHUP)) != 0, broken || (events & EPOLLOUT) != 0);
}

bool SocketStream::ReadNow() {
  if (read_threshold_ != 1 || !read_error_.ok()) return false;
  Attempt attempt;
  attempt_ = &attempt;
  readiness_.CallNow(/*readable=*/true, /*writable=*/false);
  if (!attempt.gone) attempt_ = nullptr;
  return attempt.read || attempt.gone;
}

IoResult SocketStream::Read(absl::Span<const iovec> into) {
  if (!read_error_.ok()) return IoResult::Failed(base::CloneStatus(read_error_));
  IovecBatch spans(into);
  if (spans.done()) return IoResult::Ok(0);
  const absl::Span<iovec> batch = spans.Take();
  msghdr message = {};
  message.msg_iov = batch.data();
  message.msg_iovlen = batch.size();
  const ssize_t count = base::Uninterrupted([&] { return recvmsg(fd_.get(), &message, 0); });
  if (attempt_ != nullptr && count > 0) attempt_->read = true;
  if (count > 0) {
    queued_ -= std::min<size_t>(queued_, count);
    IoResult result = IoResult::Ok(count);
    // An end that was reported before this read is reported once only. (See epoll(7) about short reads.)
    result.drained = is_tcp_ && spans.done() && static_cast<size_t>(count) < spans.bytes() && !peer_closed_;
    return result;
  }
  if (count < 0 && WouldBlock(errno)) return IoResult::Blocked();
  // A socket reports its error once. When Write got it, the end that Read is told is none that the peer made.
  if (count == 0 && write_error_.ok()) return IoResult::End();
  FailRead(count == 0 ? base::CloneStatus(write_error_) : Error("read", errno));
  return IoResult::Failed(base::CloneStatus(read_error_));
}

void SocketStream::FailRead(absl::Status error) {
  read_error_ = std::move(error);
  if (write_error_.ok()) write_error_ = read_error_;
}

IoResult SocketStream::Write(absl::Span<const iovec> from, WriteOptions options) {
  assert(!write_closed_ && pipe_.empty());
  if (!write_error_.ok()) return IoResult::Failed(base::CloneStatus(write_error_));
  size_t written = 0;
  IovecBatch spans(from);
  while (!spans.done()) {
    const absl::Span<iovec> batch = spans.Take();
    msghdr message = {};
    message.msg_iov = batch.data();
    message.msg_iovlen = batch.size();
    const int flags = MSG_NOSIGNAL | (options.end_of_record && is_tcp_ && spans.done() ? MSG_EOR : 0);
    const ssize_t count = base::Uninterrupted([&] { return sendmsg(fd_.get(), &message, flags); });
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

bool SocketStream::EnableZerocopy() {
  if (zerocopy_ == Zerocopy::kUntried) {
    const int on = 1;
    const bool taken = is_tcp_ && setsockopt(fd_.get(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)) == 0;
    zerocopy_ = taken ? Zerocopy::kOn : Zerocopy::kRefused;
  }
  return zerocopy_ == Zerocopy::kOn;
}

IoResult SocketStream::WriteZerocopy(absl::Span<const iovec> from, WriteOptions options, uint64_t tag) {
  assert(!write_closed_);
  if (!write_error_.ok()) return IoResult::Failed(base::CloneStatus(write_error_));
  if (!EnableZerocopy()) return IoResult::MustCopy(CopyReason::kKernelUnsupported);
  IovecBatch spans(from);
  if (spans.done()) return IoResult::Ok(0);
  const absl::Span<iovec> batch = spans.Take();
  msghdr message = {};
  message.msg_iov = batch.data();
  message.msg_iovlen = batch.size();
  const int flags = MSG_NOSIGNAL | MSG_ZEROCOPY | (options.end_of_record && spans.done() ? MSG_EOR : 0);
  for (;;) {
    sends_.Register(tag);
    const ssize_t count = base::Uninterrupted([&] { return sendmsg(fd_.get(), &message, flags); });
    if (count > 0) {
      sends_.SetBytes(count);
      return IoResult::Ok(count);
    }
    sends_.Undo();
    if (WouldBlock(errno)) return IoResult::Blocked();
    switch (errno) {
      case ENOBUFS:
        // No room to track another one (net.core.optmem_max), or the user may pin no more pages (RLIMIT_MEMLOCK): what
        // has completed makes room.
        if (DrainErrorQueue()) continue;
        return sends_.outstanding() > 0 ? IoResult::Blocked() : IoResult::MustCopy(CopyReason::kEnobufs);
      case EFAULT:
        return IoResult::MustCopy(CopyReason::kNotPageBacked);
      case EOPNOTSUPP:
      case EINVAL:
      case EPERM:
        return IoResult::MustCopy(CopyReason::kKernelUnsupported);
      default:
        write_error_ = Error("write", errno);
        return IoResult::Failed(base::CloneStatus(write_error_));
    }
  }
}

IoResult SocketStream::WriteSpliced(absl::Span<const iovec> from) {
  assert(!write_closed_);
  if (!write_error_.ok()) return IoResult::Failed(base::CloneStatus(write_error_));
  if (!page_paths_.splice) return IoResult::MustCopy(CopyReason::kKernelUnsupported);
  size_t written = 0;
  IovecBatch spans(from);
  while (!spans.done()) {
    const SplicePipe::Result result = pipe_.Write(fd_.get(), spans.Take());
    written += result.bytes;
    if (result.error == 0 && result.bytes == spans.bytes()) continue;
    if (result.error != 0 && !WouldBlock(result.error)) {
      if (!pipe_.empty() || written > 0 || !SplicePipe::Refused(result.error)) {
        write_error_ = Error("write", result.error);
      } else {
        return IoResult::MustCopy(result.error == EFAULT ? CopyReason::kNotPageBacked : CopyReason::kKernelUnsupported);
      }
    }
    if (written > 0) break;  // the error is for the next call
    return write_error_.ok() ? IoResult::Blocked() : IoResult::Failed(base::CloneStatus(write_error_));
  }
  return IoResult::Ok(written);
}

IoResult SocketStream::WriteFile(int file, uint64_t offset, size_t length) {
  assert(!write_closed_ && pipe_.empty());
  if (!write_error_.ok()) return IoResult::Failed(base::CloneStatus(write_error_));
  if (!page_paths_.splice) return IoResult::MustCopy(CopyReason::kKernelUnsupported);
  if (length == 0) return IoResult::Ok(0);
  auto position = static_cast<off_t>(offset);
  const ssize_t count = base::Uninterrupted([&] { return sendfile(fd_.get(), file, &position, length); });
  if (count > 0) return IoResult::Ok(count);
  if (count == 0) return IoResult::End();
  if (WouldBlock(errno)) return IoResult::Blocked();
  switch (errno) {
    case EIO:
      return IoResult::End();
    case EINVAL:
    case ENOSYS:
    case EOVERFLOW:
    case ESPIPE:
      return IoResult::MustCopy(CopyReason::kKernelUnsupported);
    default:
      write_error_ = Error("write", errno);
      return IoResult::Failed(base::CloneStatus(write_error_));
  }
}

bool SocketStream::DrainErrorQueue() {
  if (sends_.outstanding() == 0) return false;
  size_t count = 0;
  ZerocopyCompletion completion;
  while (NextZerocopyCompletion(fd_.get(), completion)) {
    count += sends_.Complete(completion.first, completion.last, [&](uint64_t tag, size_t bytes) {
      released_.push_back({tag, bytes, completion.copied});
    });
  }
  return count > 0;
}

void SocketStream::TakeReleased(std::vector<Released>& released) {
  DrainErrorQueue();
  released.insert(released.end(), released_.begin(), released_.end());
  released_.clear();
}

MapResult SocketStream::Map(const MapRequest& request) {
  if (!read_error_.ok()) return MapResult::Failed(base::CloneStatus(read_error_));
  if (!is_tcp_) return MapResult::Without(IoState::kMustCopy);
  for (;;) {
    MapRequest call = request;
    // The kernel fills `behind` with whatever comes after what it mapped, were it the next page of the same chunk.
    const size_t was_queued = queued_;
    if (was_queued < request.length + request.behind.size()) call.behind = {};
    const ZerocopyReceiveResult got = ZerocopyReceive(fd_.get(), call);
    if (got.error != 0) return MapError(got.error);
    queued_ = got.queued;
    MapResult result;
    result.mapped = got.mapped;
    result.behind = got.behind;
    result.queued = got.queued;
    if (got.mapped < std::min<size_t>(request.length, RoundDownToPage(was_queued))) {
      // Whole pages were there and were not mapped: the kernel says where to go on.
      result.must_read = std::min(std::max<size_t>(got.skip, 1), got.queued);
    } else if (got.mapped + got.behind == 0) {
      // Less than a page, or more than was known. The kernel's hint names what there is then, too; but obeying it would
      // break up the page that is still to come.
      if (got.queued >= kPageBytes) continue;
      if (peer_closed_) result.must_read = got.queued;
    }
    if (result.mapped + result.behind + result.must_read == 0) result.state = IoState::kBlocked;
    return result;
  }
}

MapResult SocketStream::MapError(int error) {
  queued_ = 0;
  switch (error) {
    case EIO:
      // A socket reports its error once. When Write got it, the end that Map is told is none that the peer made.
      if (write_error_.ok()) return MapResult::Without(IoState::kEnd);
      FailRead(base::CloneStatus(write_error_));
      break;
    case EINVAL:
    case EFAULT:
    case ENOMEM:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EPERM:
      return MapResult::Without(IoState::kMustCopy);
    default:
      FailRead(Error("read", error));
  }
  return MapResult::Failed(base::CloneStatus(read_error_));
}

bool SocketStream::SetReadThreshold(size_t bytes) {
  if (bytes == read_threshold_ || !is_tcp_) return is_tcp_;
  read_threshold_ = bytes;
  const int limited = static_cast<int>(std::min<size_t>(bytes, std::numeric_limits<int>::max()));
  // Without it there are only more notifications.
  static_cast<void>(setsockopt(fd_.get(), SOL_SOCKET, SO_RCVLOWAT, &limited, sizeof(limited)));
  return true;
}

PeerIdentity SocketStream::identity() const {
  PeerIdentity identity;
  if (is_tcp_) return identity;
  ucred process = {};
  socklen_t size = sizeof(process);
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &process, &size) == 0) {
    identity.process = PeerProcess{process.pid, process.uid, process.gid};
  }
  return identity;
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
