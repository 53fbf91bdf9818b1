// Connects to the first of several addresses that answers.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "transport/epoll_loop.h"
#include "transport/socket_address.h"
#include "transport/socket_options.h"
#include "transport/socket_stream.h"

namespace pagewire::transport {

struct ConnectOptions {
  // For all addresses together; each gets an equal part of what is left, so that one that does not answer leaves time
  // for the others. 20 s is gRPC's default.
  absl::Duration timeout = absl::Seconds(20);
  TcpOptions tcp = {};
};

// Whether a TCP socket is its own peer. The kernel may give an outgoing connection the very port that it goes to, where
// nobody listens, and then all looks well.
bool IsConnectedToItself(int fd);

// One attempt. Constructed and destroyed on the loop; destruction cancels.
class SocketConnector final : private FdHandler {
 public:
  // Runs once on the loop, never inside the constructor; may destroy the connector. UNAVAILABLE says what each address
  // answered; INVALID_ARGUMENT as ApplyTcpOptions, RESOURCE_EXHAUSTED as EpollLoop::AddFd.
  using Done = absl::AnyInvocable<void(absl::StatusOr<ConnectedSocket>)>;

  // `addresses` must not be empty.
  SocketConnector(EpollLoop& loop, std::vector<SocketAddress> addresses, ConnectOptions options, Done done);
  ~SocketConnector();
  SocketConnector(const SocketConnector&) = delete;
  SocketConnector& operator=(const SocketConnector&) = delete;

 private:
  void OnFdEvents(uint32_t events) override;
  TcpOptions OptionsFor(const SocketAddress& address) const;
  void TryNext();
  void Connected();
  void AttemptFailed(const std::string& why);
  void AddFailure(const SocketAddress& address, const std::string& why);
  void EndAttempt();
  void Finish(absl::StatusOr<ConnectedSocket> result);

  EpollLoop& loop_;
  const std::vector<SocketAddress> addresses_;
  const ConnectOptions options_;
  Done done_;
  const absl::Time give_up_;
  size_t next_ = 0;  // addresses before it were tried; the last of them may be in progress
  base::UniqueFd fd_;
  Loop::TimerId timer_ = 0;
  std::string failures_;
};

}  // namespace pagewire::transport
