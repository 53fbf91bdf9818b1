#include "client/dns_lookup.h"

#include <absl/strings/str_cat.h>
#include <ares.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <utility>

namespace pagewire::client {
namespace {

using transport::SocketAddress;

absl::Status Unavailable(int error) {
  // c-ares reports SERVFAIL and REFUSED of all servers in the same way.
  const char* more = error == ARES_ECONNREFUSED ? ", or each of them reported a failure" : "";
  return absl::UnavailableError(absl::StrCat(ares_strerror(error), more));
}

// ares_library_init is not thread-safe. Never undone: lookups may run as late as in static destructors.
int InitializeCares() {
  static const int error = ares_library_init(ARES_LIB_INIT_ALL);
  return error;
}

bool HasInput(int fd) {
  pollfd state = {.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&state, 1, 0) > 0;
}

}  // namespace

class DnsLookup::Watch final : public transport::FdHandler {
 public:
  Watch(DnsLookup* lookup, int fd) : lookup_(lookup), fd_(fd) {}
  ~Watch() { lookup_->loop_.RemoveFd(fd_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void OnFdEvents(uint32_t events) override { lookup_->OnReady(fd_, events); }

 private:
  DnsLookup* const lookup_;
  const int fd_;
};

DnsLookup::DnsLookup(transport::EpollLoop& loop, const std::string& host, uint16_t port,
                     const DnsLookupOptions& options, Done done)
    : loop_(loop), done_(std::move(done)) {
  const absl::Status begun = Begin(host, port, options.servers);
  if (!begun.ok()) Finish(begun);
  if (done_ == nullptr) return;
  give_up_timer_ = loop_.RunAfter(options.timeout, [this, timeout = options.timeout] {
    Finish(absl::UnavailableError(absl::StrCat("no answer within ", absl::FormatDuration(timeout))));
  });
}

DnsLookup::~DnsLookup() {
  done_ = nullptr;
  if (channel_ != nullptr) ares_destroy(channel_);
  loop_.CancelTimer(retry_timer_);
  loop_.CancelTimer(give_up_timer_);
}

absl::Status DnsLookup::Begin(const std::string& host, uint16_t port, const std::string& servers) {
  int error = InitializeCares();
  ares_options options = {};
  options.sock_state_cb = [](void* self, int fd, int read, int write) {
    static_cast<DnsLookup*>(self)->OnSocket(fd, read != 0, write != 0);
  };
  options.sock_state_cb_data = this;
  if (error == ARES_SUCCESS) error = ares_init_options(&channel_, &options, ARES_OPT_SOCK_STATE_CB);
  if (error == ARES_SUCCESS && !servers.empty()) error = ares_set_servers_ports_csv(channel_, servers.c_str());
  if (error != ARES_SUCCESS) return Unavailable(error);

  ares_addrinfo_hints hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NUMERICSERV;
  const auto on_answer = [](void* self, int status, int, ares_addrinfo* found) {
    static_cast<DnsLookup*>(self)->OnAnswer(status, found);
  };
  ares_getaddrinfo(channel_, host.c_str(), std::to_string(port).c_str(), &hints, on_answer, this);
  SetTimer();
  return absl::OkStatus();
}

void DnsLookup::OnSocket(int fd, bool read, bool write) {
  watches_.erase(fd);
  if (!read && !write) return;
  // Also for a socket that is known already: what it is ready for by now would not be reported again otherwise.
  const auto& watch = watches_.emplace(fd, std::make_unique<Watch>(this, fd)).first->second;
  const absl::Status added = loop_.AddFd(fd, watch.get());
  if (!added.ok()) Finish(absl::UnavailableError(added.message()));
}

void DnsLookup::OnReady(int fd, uint32_t events) {
  const bool write = (events & EPOLLOUT) != 0;
  bool read = (events & ~uint32_t{EPOLLOUT}) != 0;
  // c-ares reads a part at a time from TCP, and the loop reports input once.
  do {
    ares_process_fd(channel_, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
    read = watches_.count(fd) != 0 && HasInput(fd);
  } while (read);
  SetTimer();
}

void DnsLookup::SetTimer() {
  loop_.CancelTimer(retry_timer_);
  retry_timer_ = 0;
  timeval left;
  if (ares_timeout(channel_, nullptr, &left) == nullptr) return;
  retry_timer_ = loop_.RunAfter(absl::DurationFromTimeval(left), [this] {
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    SetTimer();
  });
}

void DnsLookup::OnAnswer(int error, ares_addrinfo* found) {
  const std::unique_ptr<ares_addrinfo, void (*)(ares_addrinfo*)> owner(found, ares_freeaddrinfo);
  if (error != ARES_SUCCESS) return Finish(Unavailable(error));
  std::vector<SocketAddress> addresses;
  for (const ares_addrinfo_node* node = found->nodes; node != nullptr; node = node->ai_next) {
    addresses.emplace_back(node->ai_addr, node->ai_addrlen);
  }
  if (addresses.empty()) return Finish(Unavailable(ARES_ENODATA));
  Finish(std::move(addresses));
}

void DnsLookup::Finish(absl::StatusOr<std::vector<SocketAddress>> result) {
  if (done_ == nullptr) return;
  loop_.CancelTimer(give_up_timer_);
  // Later, because c-ares must not be destroyed inside its own callbacks. A timer, because that ends with us.
  give_up_timer_ = loop_.RunAfter(absl::ZeroDuration(),
                                  [done = std::exchange(done_, nullptr), result = std::move(result)]() mutable {
                                    std::move(done)(std::move(result));
                                  });
}

}  // namespace pagewire::client
