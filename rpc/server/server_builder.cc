#include <pagewire/server_builder.h>

#include <absl/strings/str_cat.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "payload/budget.h"
#include "server/server_impl.h"
#include "transport/address.h"
#include "transport/credentials.h"
#include "transport/loop_pool.h"
#include "transport/path_choice.h"
#include "transport/session_offer.h"

namespace pagewire {
namespace {

// Handlers may block, each on a thread of its own; as many as a busy server has calls in flight.
constexpr size_t kMaxHandlerThreads = 1024;

// Pings that may come at once where their rate is limited: timers jitter, and a new limit may meet an old rhythm.
// gRPC's servers put up with 2.
constexpr double kPingsAtOnce = 3;

// gRPC's defaults.
constexpr absl::Duration kKeepaliveTime = absl::Hours(2);
constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(20);

absl::StatusOr<std::unique_ptr<transport::SocketListener>> Listen(const std::string& address,
                                                                  const ServerCredentials* credentials,
                                                                  transport::EpollLoop& loop) {
  if (credentials == nullptr) {
    return absl::FailedPreconditionError(
        "no credentials; pass TlsServerCredentials, or InsecureServerCredentials() for plain TCP");
  }
  absl::StatusOr<transport::Target> target = transport::ParseListeningAddress(address);
  if (!target.ok()) return std::move(target).status();
  absl::StatusOr<std::vector<transport::SocketAddress>> addresses = transport::Resolve(*target);
  if (!addresses.ok()) return std::move(addresses).status();
  return transport::SocketListener::Listen(addresses->front(), transport::SessionTcpOptions(), loop);
}

}  // namespace

struct ServerBuilder::State {
  struct Port {
    std::string address;
    std::shared_ptr<ServerCredentials> credentials;
    int* selected_port;
  };

  std::vector<Port> ports;
  std::vector<std::pair<Service*, server::HandlerPlace>> services;
  std::vector<std::shared_ptr<ServerInterceptor>> interceptors;
  std::shared_ptr<Executor> executor;
  transport::SessionOptions session;
  std::map<std::string, MethodLimits> method_limits;
  uint32_t max_concurrent_calls = 0;
  uint32_t max_connections = 0;
  uint64_t held_budget_bytes = 0;
  uint64_t max_waiting_payload_bytes = 0;
  bool built = false;
};

ServerBuilder::ServerBuilder() : state_(std::make_unique<State>()) {
  state_->session.limits.message_option = "ServerBuilder::SetMaxMessageBytes";
  state_->session.limits.payload_option = "ServerBuilder::SetMaxPayloadBytes";
  state_->session.payload_digests = true;
  SetKeepalive(kKeepaliveTime, kKeepaliveTimeout);
}

ServerBuilder::~ServerBuilder() = default;

ServerBuilder& ServerBuilder::AddListeningPort(std::string_view address, std::shared_ptr<ServerCredentials> credentials,
                                               int* selected_port) {
  state_->ports.push_back({std::string(address), std::move(credentials), selected_port});
  return *this;
}

ServerBuilder& ServerBuilder::RegisterService(Service* service) {
  state_->services.emplace_back(service, server::HandlerPlace::kExecutor);
  return *this;
}

ServerBuilder& ServerBuilder::RegisterInlineService(Service* service) {
  state_->services.emplace_back(service, server::HandlerPlace::kInline);
  return *this;
}

ServerBuilder& ServerBuilder::RegisterGenericService(GenericService* service) { return RegisterService(service); }
ServerBuilder& ServerBuilder::RegisterGenericService(CallbackGenericService* service) {
  return RegisterService(service);
}

ServerBuilder& ServerBuilder::AddInterceptor(std::shared_ptr<ServerInterceptor> interceptor) {
  state_->interceptors.push_back(std::move(interceptor));
  return *this;
}

ServerBuilder& ServerBuilder::SetExecutor(std::shared_ptr<Executor> executor) {
  state_->executor = std::move(executor);
  return *this;
}

ServerBuilder& ServerBuilder::SetSendPath(SendPath path) {
  state_->session.send_path = path;
  return *this;
}

ServerBuilder& ServerBuilder::SetReceivePath(ReceivePath path) {
  state_->session.receive_path = path;
  return *this;
}

ServerBuilder& ServerBuilder::SetMaxMessageBytes(uint64_t bytes) {
  state_->session.limits.max_message_bytes = bytes;
  return *this;
}

ServerBuilder& ServerBuilder::SetMaxPayloadBytes(uint64_t bytes) {
  state_->session.limits.max_payload_bytes = bytes;
  return *this;
}

ServerBuilder& ServerBuilder::SetHeldBudgetBytes(uint64_t bytes) {
  state_->held_budget_bytes = bytes;
  return *this;
}

ServerBuilder& ServerBuilder::SetMaxWaitingPayloadBytes(uint64_t bytes) {
  state_->max_waiting_payload_bytes = bytes;
  return *this;
}

ServerBuilder& ServerBuilder::AllowPayloadDigests(bool allow) {
  state_->session.payload_digests = allow;
  return *this;
}

ServerBuilder& ServerBuilder::SetMaxMetadataBytes(uint64_t bytes) {
  state_->session.max_metadata_bytes = bytes;
  return *this;
}

ServerBuilder& ServerBuilder::SetMaxConcurrentCallsPerConnection(uint32_t calls) {
  state_->session.max_concurrent_calls = calls;
  return *this;
}

ServerBuilder& ServerBuilder::SetMaxConcurrentCalls(uint32_t calls) {
  state_->max_concurrent_calls = calls;
  return *this;
}

ServerBuilder& ServerBuilder::SetMaxConnections(uint32_t connections) {
  state_->max_connections = connections;
  return *this;
}

ServerBuilder& ServerBuilder::SetMethodLimits(std::string_view method, const MethodLimits& limits) {
  state_->method_limits[std::string(method)] = limits;
  return *this;
}

ServerBuilder& ServerBuilder::SetKeepalive(absl::Duration time, absl::Duration timeout) {
  state_->session.keepalive = {time, timeout, /*without_calls=*/true};
  return *this;
}

ServerBuilder& ServerBuilder::SetMinPingInterval(absl::Duration interval) {
  if (interval <= absl::ZeroDuration()) {
    state_->session.pings = transport::SessionOptions().pings;
  } else {
    state_->session.pings = {"pings", kPingsAtOnce, 1 / absl::ToDoubleSeconds(interval),
                             "; raise ChannelOptions::keepalive_time or lower ServerBuilder::SetMinPingInterval"};
  }
  return *this;
}

ServerBuilder& ServerBuilder::SetMaxConnectionIdle(absl::Duration idle) {
  state_->session.idle_timeout = idle;
  return *this;
}

absl::StatusOr<std::unique_ptr<Server>> ServerBuilder::BuildAndStart() {
  if (std::exchange(state_->built, true)) {
    return absl::FailedPreconditionError("BuildAndStart: this ServerBuilder has built its server already");
  }
  absl::StatusOr<transport::Paths> paths =
      transport::RequestedPaths(state_->session.send_path, state_->session.receive_path);
  if (!paths.ok()) return std::move(paths).status();
  state_->session.send_path = paths->send;
  state_->session.receive_path = paths->receive;
  state_->session.held_budget =
      memory::MakeChildOfProcessBudget("server", state_->held_budget_bytes, "ServerBuilder::SetHeldBudgetBytes");
  if (state_->max_waiting_payload_bytes > 0) {
    state_->session.held_budget->SetMaxWaiting(state_->max_waiting_payload_bytes,
                                               "raise ServerBuilder::SetMaxWaitingPayloadBytes");
  }

  std::shared_ptr<Executor> executor = std::move(state_->executor);
  if (executor == nullptr) {
    ThreadPoolOptions pool;
    pool.max_threads = kMaxHandlerThreads;
    executor = MakeThreadPool(pool);
  }
  call::MethodTermsTable method_terms(state_->method_limits, state_->session);
  method_terms.RaiseMost(state_->session);
  auto services = std::make_unique<server::ServiceRegistry>(std::move(executor), std::move(method_terms),
                                                            state_->max_concurrent_calls);
  for (std::shared_ptr<ServerInterceptor>& interceptor : state_->interceptors) {
    if (interceptor == nullptr) return absl::InvalidArgumentError("AddInterceptor: the interceptor is null");
    services->Add(std::move(interceptor));
  }
  for (const auto& [service, place] : state_->services) {
    if (absl::Status status = services->Add(service, place); !status.ok()) return status;
  }
  for (const auto& [method, limits] : state_->method_limits) {
    absl::Status unknown;
    if (services->Find(method, unknown) != nullptr) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("SetMethodLimits: ", unknown.message(), "; methods are named as \"/package.Service/Method\""));
  }
  // Every address is bound before any connection is accepted, so that a failure leaves nothing half-started.
  struct Listener {
    std::unique_ptr<transport::SocketListener> socket;
    transport::EpollLoop& loop;
    ServerCredentials& credentials;
  };
  std::vector<Listener> listeners;
  for (const State::Port& port : state_->ports) {
    transport::EpollLoop& loop = transport::LoopPool::Default().Next();
    absl::StatusOr<std::unique_ptr<transport::SocketListener>> listener =
        Listen(port.address, port.credentials.get(), loop);
    if (!listener.ok()) return base::Annotate(listener.status(), absl::StrCat("listening on ", port.address));
    if (port.selected_port != nullptr) *port.selected_port = (*listener)->address().port();
    listeners.push_back({*std::move(listener), loop, *port.credentials});
  }
  auto server =
      std::make_unique<server::ServerImpl>(std::move(services), std::move(state_->session), state_->max_connections);
  for (auto& [listener, loop, credentials] : listeners) {
    const std::shared_ptr<transport::TlsContext>& tls = internal::CredentialsAccess::Tls(credentials);
    if (absl::Status status = server->Serve(std::move(listener), loop, tls); !status.ok()) return status;
  }
  return server;
}

}  // namespace pagewire
