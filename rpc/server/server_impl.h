// A running server: its listeners, its connections, and the order in which they end.
#pragma once

#include <pagewire/server.h>

#include <absl/status/status.h>

#include <memory>
#include <vector>

#include "base/mutex.h"
#include "server/connection_set.h"
#include "server/service_registry.h"
#include "transport/epoll_loop.h"
#include "transport/session_options.h"
#include "transport/socket_listener.h"
#include "transport/tls_context.h"

namespace pagewire::server {

class ServerImpl final : public Server {
 public:
  ServerImpl(std::unique_ptr<ServiceRegistry> services, transport::SessionOptions session_options,
             uint32_t max_connections);
  ~ServerImpl() override;

  // Accepts connections of a listener that lives on `loop`; `tls`: null for plain ones. Before the server is handed
  // out.
  absl::Status Serve(std::unique_ptr<transport::SocketListener> listener, transport::EpollLoop& loop,
                     std::shared_ptr<transport::TlsContext> tls);

  void Wait() override;
  using Server::Shutdown;
  void Shutdown(absl::Time deadline) override;

 private:
  struct Listening {
    std::unique_ptr<transport::SocketListener> listener;
    transport::EpollLoop* loop;
  };
  enum class State { kServing, kShuttingDown, kShutDown };

  std::shared_ptr<internal::StreamSource> in_process_source() override;
  void StopListening();

  const std::unique_ptr<ServiceRegistry> services_;
  const std::shared_ptr<ConnectionSet> connections_;
  std::vector<Listening> listeners_;

  base::Mutex mutex_;
  base::CondVar changed_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kServing;
  absl::Time deadline_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
};

}  // namespace pagewire::server
