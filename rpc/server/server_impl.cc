#include "server/server_impl.h"

#include <absl/strings/str_cat.h>
#include <pagewire/log.h>

#include <algorithm>
#include <utility>

#include "base/string_view.h"
#include "transport/in_process_stream.h"
#include "transport/loop_pool.h"
#include "transport/socket_stream.h"
#include "transport/stream_source.h"
#include "transport/tls_stream.h"

namespace pagewire::server {
namespace {

using transport::ByteStream;

// How long the last statuses may take to get out once the calls were ended.
constexpr absl::Duration kLastStatuses = absl::Seconds(1);

// Runs `task` on the loop and waits until it has run.
template <typename Task>
void RunOn(transport::Loop& loop, Task task) {
  base::Mutex mutex;
  base::CondVar changed;
  bool done = false;
  loop.Post([&] {
    task();
    base::MutexLock lock(mutex);
    done = true;
    changed.NotifyOne();
  });
  base::MutexLock lock(mutex);
  while (!done) changed.Wait(mutex);
}

// Null when there is no memory for another one, which is logged.
std::unique_ptr<ByteStream> MakeStream(transport::ConnectedSocket socket, transport::EpollLoop& loop,
                                       const std::shared_ptr<transport::TlsContext>& tls) {
  auto plain = std::make_unique<transport::SocketStream>(std::move(socket), loop);
  if (tls == nullptr) return plain;
  absl::StatusOr<transport::SslPtr> ssl = tls->NewConnection("");
  if (!ssl.ok()) {
    Log(LogSeverity::kError, base::ToStd(absl::StrCat(plain->peer(), ": ", ssl.status().message())));
    return nullptr;
  }
  return std::make_unique<transport::TlsStream>(std::move(plain), loop, *std::move(ssl), /*server=*/true, "");
}

class InProcessSource final : public internal::StreamSource {
 public:
  explicit InProcessSource(std::weak_ptr<ConnectionSet> connections) : connections_(std::move(connections)) {}

  absl::StatusOr<std::unique_ptr<ByteStream>> Connect(transport::Loop& loop) override {
    if (connections_.expired()) return absl::UnavailableError("the server is gone");
    transport::EpollLoop& server_loop = transport::LoopPool::Default().Next();
    auto [client_end, server_end] = transport::MakeInProcessPair(loop, server_loop);
    server_loop.Post([connections = connections_, &server_loop, stream = std::move(server_end)]() mutable {
      if (const auto set = connections.lock()) set->Add(server_loop, std::move(stream)).IgnoreError();
    });
    return std::move(client_end);
  }

 private:
  const std::weak_ptr<ConnectionSet> connections_;
};

}  // namespace

ServerImpl::ServerImpl(std::unique_ptr<ServiceRegistry> services, transport::SessionOptions session_options,
                       uint32_t max_connections)
    : services_(std::move(services)),
      connections_(std::make_shared<ConnectionSet>(*services_, std::move(session_options), max_connections)) {}

ServerImpl::~ServerImpl() {
  Shutdown(absl::InfinitePast());
  services_->WaitForHandlers();
}

absl::Status ServerImpl::Serve(std::unique_ptr<transport::SocketListener> listener, transport::EpollLoop& loop,
                               std::shared_ptr<transport::TlsContext> tls) {
  absl::Status started;
  RunOn(loop, [&] {
    started = listener->Start([connections = connections_, tls](transport::ConnectedSocket socket) {
      transport::EpollLoop& own = transport::LoopPool::Default().Next();
      own.Post([connections, tls, &own, socket = std::move(socket)]() mutable {
        // A connection that comes while the set is draining is closed by being dropped.
        if (auto stream = MakeStream(std::move(socket), own, tls)) {
          connections->Add(own, std::move(stream)).IgnoreError();
        }
      });
    });
  });
  listeners_.push_back({std::move(listener), &loop});
  return started;
}

void ServerImpl::StopListening() {
  for (Listening& listening : listeners_) {
    RunOn(*listening.loop, [&] { listening.listener.reset(); });
  }
  listeners_.clear();
}

void ServerImpl::Wait() {
  base::MutexLock lock(mutex_);
  while (state_ != State::kShutDown) changed_.Wait(mutex_);
}

void ServerImpl::Shutdown(absl::Time deadline) {
  bool first = false;
  {
    base::MutexLock lock(mutex_);
    deadline_ = std::min(deadline_, deadline);
    first = state_ == State::kServing;
    if (first) state_ = State::kShuttingDown;
  }
  if (!first) {
    connections_->WakeWaiter();
    return Wait();
  }
  StopListening();
  connections_->Drain();
  connections_->WaitUntilEmpty([this] {
    base::MutexLock lock(mutex_);
    return deadline_;
  });
  connections_->Stop(kLastStatuses);
  connections_->WaitUntilEmpty([] { return absl::InfiniteFuture(); });
  base::MutexLock lock(mutex_);
  state_ = State::kShutDown;
  changed_.NotifyAll();
}

std::shared_ptr<internal::StreamSource> ServerImpl::in_process_source() {
  return std::make_shared<InProcessSource>(connections_);
}

}  // namespace pagewire::server
