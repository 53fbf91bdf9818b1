#include "admin/http_listener.h"

#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/uninterrupted.h"
#include "transport/address.h"
#include "transport/socket_error.h"

namespace pagewire::admin {
namespace {

using transport::SocketAddress;
using transport::SocketError;

// See AdminServer. More than one, so that a slow client does not keep others from reading.
constexpr int kThreads = 4;

// Before accept is tried again when the process has no descriptors left.
constexpr int kShortageDelayMs = 50;

absl::StatusOr<SocketAddress> AddressOf(const std::string& text) {
  absl::StatusOr<transport::Target> target = transport::ParseListeningAddress(text);
  if (!target.ok()) return std::move(target).status();
  absl::StatusOr<std::vector<SocketAddress>> addresses = transport::Resolve(*target);
  if (!addresses.ok()) return std::move(addresses).status();
  if (addresses->front().family() == AF_UNIX) {
    return absl::InvalidArgumentError(
        absl::StrCat("the admin server listens on TCP only, not on \"", text, "\"; use \"127.0.0.1:port\""));
  }
  return addresses->front();
}

// The library's threads take no signals: they belong to the program's own.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpListener>> HttpListener::Listen(const std::string& text) {
  const absl::StatusOr<SocketAddress> address = AddressOf(text);
  if (!address.ok()) return address.status();
  const std::string what = absl::StrCat("the admin server cannot listen on ", address->ToString());
  base::UniqueFd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  base::UniqueFd fd(socket(address->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!stop.valid() || !fd.valid()) return SocketError(what, errno);
  const int on = 1, off = 0;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address->family() == AF_INET6 && address->is_any()) {
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (bind(fd.get(), address->get(), address->length()) != 0) return SocketError(what, errno);
  if (listen(fd.get(), SOMAXCONN) != 0) return SocketError(what, errno);
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(fd), std::move(stop)));
}

HttpListener::HttpListener(base::UniqueFd fd, base::UniqueFd stop)
    : fd_(std::move(fd)), stop_(std::move(stop)), address_(SocketAddress::LocalOf(fd_.get())) {}

HttpListener::~HttpListener() {
  eventfd_write(stop_.get(), 1);
  for (std::thread& thread : threads_) thread.join();
}

absl::Status HttpListener::Start(Serve serve) {
  serve_ = std::move(serve);
  const SignalsBlocked blocked;
  while (threads_.size() < kThreads) {
    try {
      threads_.emplace_back([this] { Work(); });
    } catch (const std::system_error& error) {
      return absl::ResourceExhaustedError(absl::StrCat("the admin server cannot start its ", kThreads, " threads: ",
                                                       error.what(), "; raise the limit on threads (ulimit -u)"));
    }
  }
  return absl::OkStatus();
}

// False when it is time to stop.
bool HttpListener::Await(int fd, int timeout_ms) const {
  pollfd fds[] = {{stop_.get(), POLLIN, 0}, {fd, POLLIN, 0}};
  base::Uninterrupted([&] { return poll(fds, fd < 0 ? 1 : 2, timeout_ms); });
  return fds[0].revents == 0;
}

void HttpListener::Work() const {
  pthread_setname_np(pthread_self(), "pagewire-admin");
  while (Await(fd_.get(), -1)) {
    base::UniqueFd connection(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.valid()) {
      serve_(std::move(connection), stop_.get());
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      if (!Await(-1, kShortageDelayMs)) return;
    }
  }
}

}  // namespace pagewire::admin
