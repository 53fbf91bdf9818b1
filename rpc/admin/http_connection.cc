#include "admin/http_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/uninterrupted.h"

namespace pagewire::admin {
namespace {

// For what a client still sends after its answer.
constexpr std::chrono::seconds kDrainTime(1);

}  // namespace

HttpConnection::HttpConnection(base::UniqueFd fd, int stop_fd, const HttpLimits& limits)
    : fd_(std::move(fd)),
      stop_fd_(stop_fd),
      deadline_(std::chrono::steady_clock::now() + limits.time),
      may_read_(limits.request_bytes) {}

bool HttpConnection::Await(short events, Time deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd fds[] = {{fd_.get(), events, 0}, {stop_fd_, POLLIN, 0}};
    const int ready = poll(fds, 2, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    return ready > 0 && fds[1].revents == 0;
  }
}

ssize_t HttpConnection::Receive(char* out, size_t size, Time deadline) const {
  for (;;) {
    const ssize_t got = base::Uninterrupted([&] { return recv(fd_.get(), out, size, 0); });
    if (got >= 0) return got;
    if (errno != EAGAIN || !Await(POLLIN, deadline)) return -1;
  }
}

ssize_t HttpConnection::Read(char* out, size_t size) {
  if (begin_ == end_) {
    if (may_read_ == 0) return -1;
    const ssize_t got = Receive(buffer_.data(), std::min(buffer_.size(), may_read_), deadline_);
    if (got <= 0) return got;
    begin_ = 0;
    end_ = got;
    may_read_ -= got;
  }
  const size_t taken = std::min(size, end_ - begin_);
  std::memcpy(out, buffer_.data() + begin_, taken);
  begin_ += taken;
  return static_cast<ssize_t>(taken);
}

ssize_t HttpConnection::Write(const char* data, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    const ssize_t more = base::Uninterrupted([&] { return send(fd_.get(), data + sent, size - sent, MSG_NOSIGNAL); });
    if (more >= 0) {
      sent += more;
    } else if (errno != EAGAIN || !Await(POLLOUT, deadline_)) {
      return -1;
    }
  }
  return static_cast<ssize_t>(size);
}

void HttpConnection::Finish() {
  shutdown(fd_.get(), SHUT_WR);
  const Time until = std::min(deadline_, std::chrono::steady_clock::now() + kDrainTime);
  while (may_read_ > 0) {
    const ssize_t got = Receive(buffer_.data(), std::min(buffer_.size(), may_read_), until);
    if (got <= 0) return;
    may_read_ -= got;
  }
}

}  // namespace pagewire::admin
