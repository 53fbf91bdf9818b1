// One question to the system's name service, by c-ares.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "transport/epoll_loop.h"
#include "transport/socket_address.h"

struct ares_addrinfo;
struct ares_channeldata;

namespace pagewire::client {

struct DnsLookupOptions {
  // For the whole lookup. c-ares asks a server that does not answer again after 5 s (resolv.conf may say otherwise), so
  // there is time for a second one.
  absl::Duration timeout = absl::Seconds(20);

  // Name servers "address:port", with commas between them, instead of those in /etc/resolv.conf; empty for the latter.
  std::string servers;
};

// Finds a host's IPv4 and IPv6 addresses as the system is configured to: /etc/hosts, then DNS, with resolv.conf's
// search domains; in RFC 6724's order. Lives on `loop`, where it reads these files: a loop that nobody else is in a
// hurry on. Destruction cancels.
class DnsLookup final {
 public:
  // Runs once on the loop, never inside the constructor; may destroy the lookup. At least one address, each with the
  // port; or UNAVAILABLE with what c-ares said.
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::vector<transport::SocketAddress>>)>;

  DnsLookup(transport::EpollLoop& loop, const std::string& host, uint16_t port, const DnsLookupOptions& options,
            Done done);
  ~DnsLookup();
  DnsLookup(const DnsLookup&) = delete;
  DnsLookup& operator=(const DnsLookup&) = delete;

 private:
  class Watch;  // one of c-ares's sockets

  absl::Status Begin(const std::string& host, uint16_t port, const std::string& servers);
  void OnSocket(int fd, bool read, bool write);  // what c-ares wants to know of the socket; nothing: it is being closed
  void OnReady(int fd, uint32_t events);
  void OnAnswer(int error, ares_addrinfo* found);
  void SetTimer();
  void Finish(absl::StatusOr<std::vector<transport::SocketAddress>> result);

  transport::EpollLoop& loop_;
  Done done_;  // null once the result is on its way
  std::map<int, std::unique_ptr<Watch>> watches_;
  ares_channeldata* channel_ = nullptr;
  transport::Loop::TimerId retry_timer_ = 0;
  transport::Loop::TimerId give_up_timer_ = 0;
};

}  // namespace pagewire::client
