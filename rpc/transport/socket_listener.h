// Accepts connections on one address.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>

#include "base/unique_fd.h"
#include "transport/epoll_loop.h"
#include "transport/socket_address.h"
#include "transport/socket_options.h"
#include "transport/socket_stream.h"
#include "transport/unix_socket_file.h"

namespace pagewire::transport {

// Survives what connections and shortages do to it. Out of descriptors or memory, it tries again every 50 ms, each time
// closing one connection that it cannot keep, so that somebody hears of it while the rest may wait in the queue; the
// log is told once per episode.
class SocketListener final : private FdHandler {
 public:
  // Runs on the listener's loop for every connection. Must not destroy the listener: post that.
  using OnAccept = absl::AnyInvocable<void(ConnectedSocket)>;

  // Binds and listens: connections queue up from here on. Port 0 takes a free one; [::] takes IPv4 too. A Unix
  // socket's file that nobody listens on any more is replaced. In any thread. UNAVAILABLE when the address is in use
  // or not this host's, PERMISSION_DENIED, RESOURCE_EXHAUSTED without descriptors, INVALID_ARGUMENT as ApplyTcpOptions.
  static absl::StatusOr<std::unique_ptr<SocketListener>> Listen(const SocketAddress& address, const TcpOptions& options,
                                                                EpollLoop& loop);

  // Closes the socket: what was not accepted is reset. A Unix socket's file goes with it. On the loop, or in any thread
  // if not started or after the loop's Stop.
  ~SocketListener();
  SocketListener(const SocketListener&) = delete;
  SocketListener& operator=(const SocketListener&) = delete;

  // Begins to accept. Once, on the loop. RESOURCE_EXHAUSTED as EpollLoop::AddFd.
  absl::Status Start(OnAccept on_accept);

  // With the real port. From any thread.
  const SocketAddress& address() const { return address_; }

 private:
  SocketListener(base::UniqueFd fd, UnixSocketFile file, EpollLoop& loop);

  void OnFdEvents(uint32_t events) override;
  void AcceptSome();
  void OnShortage(int error);
  void RetryAfter(absl::Duration delay);

  EpollLoop& loop_;
  const base::UniqueFd fd_;
  const SocketAddress address_;
  const UnixSocketFile file_;
  base::UniqueFd spare_;  // given up to take, and close, one connection when descriptors have run out
  OnAccept on_accept_;    // set once started
  Loop::TimerId retry_ = 0;
  bool short_of_resources_ = false;
};

}  // namespace pagewire::transport
