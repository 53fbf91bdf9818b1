#include <pagewire/channel.h>
#include <pagewire/executor.h>
#include <pagewire/internal/block_pool.h>
#include <pagewire/internal/channel_access.h>

#include <absl/strings/str_cat.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/string_view.h"
#include "call/interception.h"
#include "call/stream_client_call.h"
#include "call/unary_client_call.h"
#include "client/call_authentication.h"
#include "client/call_starter.h"
#include "client/channel_factory.h"
#include "client/client_call_state.h"
#include "client/client_stream.h"
#include "client/connectivity.h"
#include "client/lane.h"
#include "client/lane_choice.h"
#include "client/lane_set.h"
#include "client/name_watch.h"
#include "client/peer_set.h"
#include "client/service_config.h"
#include "transport/loop_pool.h"
#include "wire/metadata.h"

namespace pagewire {
namespace client {
namespace {

using internal::ClientCallState;
using internal::RawClientStream;
using internal::RawMessage;

// A channel whose every call fails: made with wrong arguments, which only a call can report.
class BrokenChannel final : public Channel {
 public:
  explicit BrokenChannel(absl::Status status) : status_(std::move(status)), shown_as_(connectivity_.Add()) {
    connectivity_.Set(shown_as_, ConnectivityState::kTransientFailure);
  }
  ~BrokenChannel() override { connectivity_.Set(shown_as_, ConnectivityState::kShutdown); }

  ConnectivityState GetState(bool) override { return connectivity_.state(); }
  bool WaitForStateChange(ConnectivityState last_observed, absl::Time deadline) override {
    return connectivity_.WaitForChange(last_observed, deadline);
  }
  void OnStateChange(ConnectivityState last_observed, absl::AnyInvocable<void(ConnectivityState)> callback) override {
    connectivity_.OnChange(last_observed, std::move(callback));
  }

 private:
  void StartUnary(const Method&, ClientContext&, std::string, Payload,
                  absl::AnyInvocable<void(absl::StatusOr<RawMessage>)> done) override {
    DefaultExecutor().Run([status = base::CloneStatus(status_), done = std::move(done)]() mutable { done(status); });
  }
  absl::StatusOr<RawMessage> BlockingUnary(const Method&, ClientContext&, std::string, Payload) override {
    return base::CloneStatus(status_);
  }
  std::unique_ptr<RawClientStream> StartStream(const Method&, ClientContext&, std::optional<RawMessage>) override {
    return internal::ChannelAccess::BrokenStream(base::CloneStatus(status_));
  }

  const absl::Status status_;
  Connectivity connectivity_;
  const uint64_t shown_as_;
};

class LaneChannel final : public Channel {
 public:
  LaneChannel(std::shared_ptr<CallStarter> starter, std::shared_ptr<Connectivity> connectivity,
              ChannelSecurity security)
      : starter_(std::move(starter)), connectivity_(std::move(connectivity)), security_(std::move(security)) {}

  ~LaneChannel() override { starter_->Shutdown(); }

  ConnectivityState GetState(bool try_to_connect) override {
    const ConnectivityState state = connectivity_->state();
    if (try_to_connect && state == ConnectivityState::kIdle) starter_->peers().TryToConnect();
    return state;
  }
  bool WaitForStateChange(ConnectivityState last_observed, absl::Time deadline) override {
    return connectivity_->WaitForChange(last_observed, deadline);
  }
  void OnStateChange(ConnectivityState last_observed, absl::AnyInvocable<void(ConnectivityState)> callback) override {
    connectivity_->OnChange(last_observed, std::move(callback));
  }

 private:
  void StartUnary(const Method& method, ClientContext& context, std::string request, Payload payload,
                  absl::AnyInvocable<void(absl::StatusOr<RawMessage>)> done) override {
    // Kept: `done` may destroy the context, and a call that was cancelled before ends as soon as it is started.
    std::shared_ptr<ClientCallState> state = internal::ClientContextAccess::State(context);
    absl::StatusOr<Observers> observers = Begin(method, context, *state);
    if (!observers.ok()) {
      DefaultExecutor().Run(
          [status = std::move(observers).status(), done = std::move(done)]() mutable { done(std::move(status)); });
      return;
    }
    Start(method, state, *std::move(observers), std::move(request), std::move(payload),
          internal::Box([state, where = complete_on(), done = std::move(done)](call::UnaryResult result) mutable {
            internal::Complete(where, internal::Box([state = std::move(state), result = std::move(result),
                                                     done = std::move(done)]() mutable {
                                 state->Take(result.outcome);
                                 done(Reply(std::move(result)));
                               }));
          }));
  }

  absl::StatusOr<RawMessage> BlockingUnary(const Method& method, ClientContext& context, std::string request,
                                           Payload payload) override {
    if (transport::Loop::OnAnyLoop()) {
      return absl::FailedPreconditionError(absl::StrCat(base::ToAbsl(method.name),
                                                        ": a blocking call on one of the "
                                                        "library's loop threads would wait for itself; use the "
                                                        "callback form there"));
    }
    const std::shared_ptr<ClientCallState>& state = internal::ClientContextAccess::State(context);
    absl::StatusOr<Observers> observers = Begin(method, context, *state);
    if (!observers.ok()) return std::move(observers).status();
    struct Waiter {
      base::Mutex mutex;
      base::CondVar done;
      std::optional<call::UnaryResult> result ABSL_GUARDED_BY(mutex);
    };
    // Shared with the loop, which may still be inside NotifyOne when this thread goes on.
    const auto waiter = internal::MakeShared<Waiter>();
    Start(method, state, *std::move(observers), std::move(request), std::move(payload),
          [waiter](call::UnaryResult result) {
            base::MutexLock lock(waiter->mutex);
            waiter->result = std::move(result);
            waiter->done.NotifyOne();
          });
    base::MutexLock lock(waiter->mutex);
    while (!waiter->result.has_value()) waiter->done.Wait(waiter->mutex);
    state->Take(waiter->result->outcome);
    return Reply(*std::move(waiter->result));
  }

  const ChannelOptions& options() const { return starter_->terms().options; }

  // Who watches the call that is about to be made, null for nobody; or why it is not made.
  using Observers = std::shared_ptr<call::CallObservers>;
  absl::StatusOr<Observers> Begin(const Method& method, ClientContext& context, ClientCallState& state) const {
    if (!state.Claim()) {
      return absl::FailedPreconditionError(
          absl::StrCat(base::ToAbsl(method.name), ": this ClientContext has served a call already; use a new one"));
    }
    absl::StatusOr<Observers> observers = call::Intercept(options().interceptors, method, context);
    if (!observers.ok()) return observers;
    absl::Status status = Authenticate(method, options(), security_, state);
    if (status.ok()) status = CheckMetadata(method, state);
    if (status.ok()) {
      starter_->Configure(method, state);
      return observers;
    }
    if (*observers != nullptr) (*observers)->End(status);
    return status;
  }

  absl::Status CheckMetadata(const Method& method, const ClientCallState& state) const {
    if (!state.metadata_error.ok()) return base::Annotate(state.metadata_error, method.name);
    const uint64_t limit = starter_->MaxMetadataBytes(method);
    const uint64_t bytes = wire::MetadataBytes(state.metadata);
    if (bytes <= limit) return absl::OkStatus();
    return absl::ResourceExhaustedError(absl::StrCat(base::ToAbsl(method.name), ": metadata of ", bytes,
                                                     " bytes is larger than the limit of ", limit,
                                                     "; raise ChannelOptions::max_metadata_bytes, or the method's "
                                                     "in ChannelOptions::method_limits"));
  }

  std::unique_ptr<RawClientStream> StartStream(const Method& method, ClientContext& context,
                                               std::optional<RawMessage> first) override {
    const std::shared_ptr<ClientCallState> state = internal::ClientContextAccess::State(context);
    absl::StatusOr<Observers> asked = Begin(method, context, *state);
    if (!asked.ok()) return internal::ChannelAccess::BrokenStream(std::move(asked).status());
    const Observers observers = *std::move(asked);
    call::StreamClientCall::Events events;
    events.initial_metadata = [state](const Metadata& metadata) { state->initial_metadata = metadata; };
    if (observers != nullptr) {
      events.received = [observers](uint64_t message_bytes, uint64_t payload_bytes) {
        observers->Received(message_bytes, payload_bytes);
      };
    }
    events.end = [state, observers](const call::CallOutcome& outcome) {
      call::CallOutcome taken = outcome;
      state->Take(taken);
      if (observers != nullptr) observers->End(outcome.status, outcome.peer);
    };
    LaneSet::Choice in = starter_->Place(method, first.has_value() ? first->bytes.size() : 0).in;
    call::CallTerms terms = starter_->Terms(method, *state, observers, std::move(in.place));
    terms.payload_events = std::move(state->payload_events);
    auto call = std::make_shared<call::StreamClientCall>(in.lane->loop(), std::move(terms), std::move(events));
    auto stream = std::make_unique<ClientStream>(in.lane->loop(), call, observers);
    stream->set_complete_on(complete_on());
    // Before the call is started, so that its first frame carries the message.
    if (first.has_value()) stream->Write(*std::move(first), !StreamsRequest(method.type), [](absl::Status) {});
    CallStarter::Post(std::move(in.lane), state, std::move(call));
    return stream;
  }

  internal::CompleteOn complete_on() const {
    return options().inline_completions ? internal::CompleteOn::kLoop : internal::CompleteOn::kExecutor;
  }

  void Start(const Method& method, const std::shared_ptr<ClientCallState>& state, Observers observers,
             std::string request, Payload payload, call::UnaryClientCall::Done done) {
    if (observers != nullptr) {
      observers->Sent(request.size(), payload.size());
      done = [observers, done = std::move(done)](call::UnaryResult result) mutable {
        if (result.outcome.status.ok()) observers->Received(result.message.size(), result.payload.size());
        observers->End(result.outcome.status, result.outcome.peer);
        done(std::move(result));
      };
    }
    starter_->StartUnary({method, state, std::move(observers), std::move(request), std::move(payload)},
                         std::move(done));
  }

  static absl::StatusOr<RawMessage> Reply(call::UnaryResult result) {
    if (!result.outcome.status.ok()) return std::move(result.outcome.status);
    return RawMessage{std::move(result.message), std::move(result.payload)};
  }

  const std::shared_ptr<CallStarter> starter_;
  const std::shared_ptr<Connectivity> connectivity_;
  const ChannelSecurity security_;
};

absl::Status CheckOptions(const ChannelOptions& options) {
  for (const auto& interceptor : options.interceptors) {
    if (interceptor == nullptr) {
      return absl::InvalidArgumentError("ChannelOptions::interceptors: one of them is null");
    }
  }
  if (options.connections_per_peer < 1 || options.connections_per_peer > kMaxLanes) {
    return absl::InvalidArgumentError(absl::StrCat("ChannelOptions::connections_per_peer is ",
                                                   options.connections_per_peer, " and must be 1 to ", kMaxLanes));
  }
  return absl::OkStatus();
}

}  // namespace

std::shared_ptr<Channel> MakeChannel(const ChannelParts& parts, const ChannelOptions& options) {
  absl::StatusOr<transport::Paths> paths = transport::RequestedPaths(options.send_path, options.receive_path);
  if (!paths.ok()) return std::make_shared<BrokenChannel>(paths.status());
  if (absl::Status status = CheckOptions(options); !status.ok()) return std::make_shared<BrokenChannel>(status);
  auto config = std::make_shared<const ServiceConfig>();
  if (!options.service_config.empty()) {
    absl::StatusOr<std::shared_ptr<const ServiceConfig>> parsed = ServiceConfig::Parse(options.service_config);
    if (!parsed.ok()) {
      return std::make_shared<BrokenChannel>(base::Annotate(parsed.status(), "ChannelOptions::service_config"));
    }
    config = *std::move(parsed);
  }
  const auto terms = std::make_shared<const LaneTerms>(options, *paths);
  const auto connectivity = std::make_shared<Connectivity>();
  const auto make_lanes = [terms, connectivity](const ConnectorFactory& make_connector) {
    std::vector<std::shared_ptr<Lane>> lanes;
    for (uint32_t id = 0; id < terms->options.connections_per_peer; ++id) {
      transport::EpollLoop& loop = transport::LoopPool::Default().Next();
      lanes.push_back(std::make_shared<Lane>(id, loop, make_connector(loop), terms, connectivity));
    }
    return lanes;
  };
  auto peers =
      PeerSet::Create(make_lanes(parts.connect), parts.names, std::move(config),
                      [make_lanes, connect_to = parts.connect_to](const std::string& address) {
                        return make_lanes([&](transport::EpollLoop& loop) { return connect_to(loop, address); });
                      });
  return std::make_shared<LaneChannel>(std::make_shared<CallStarter>(terms, std::move(peers)), connectivity,
                                       parts.security);
}

}  // namespace client

bool Channel::WaitForConnected(absl::Time deadline) {
  for (;;) {
    const ConnectivityState state = GetState(/*try_to_connect=*/true);
    if (state == ConnectivityState::kReady) return true;
    if (!WaitForStateChange(state, deadline)) return false;
  }
}

std::shared_ptr<Channel> CreateChannel(std::string_view target, std::shared_ptr<ChannelCredentials> credentials) {
  return CreateCustomChannel(target, std::move(credentials), ChannelOptions());
}

std::shared_ptr<Channel> CreateCustomChannel(std::string_view target, std::shared_ptr<ChannelCredentials> credentials,
                                             const ChannelOptions& options) {
  if (credentials == nullptr) {
    return std::make_shared<client::BrokenChannel>(absl::FailedPreconditionError(
        "the channel has no credentials; pass TlsChannelCredentials, or InsecureChannelCredentials() for plain TCP"));
  }
  client::ChannelParts parts;
  parts.names = std::make_shared<client::NameWatch>(target);
  parts.security = client::SecurityOf(target, *credentials);
  client::SocketConnectorOptions connect;
  connect.credentials = credentials;
  connect.timeout = options.connect_timeout;
  connect.server_name = parts.names->host();
  parts.connect = [connect, names = parts.names](transport::EpollLoop& loop) {
    return client::MakeSocketConnector(loop, names, connect);
  };
  parts.connect_to = [connect](transport::EpollLoop& loop, const std::string& address) {
    return client::MakeSocketConnector(loop, std::make_shared<client::NameWatch>(address), connect);
  };
  return client::MakeChannel(parts, options);
}

void internal::ChannelAccess::StartUnary(Channel& channel, const Method& method, ClientContext& context,
                                         std::string request, Payload payload, Done done) {
  channel.StartUnary(method, context, std::move(request), std::move(payload), std::move(done));
}

absl::StatusOr<internal::RawMessage> internal::ChannelAccess::BlockingUnary(Channel& channel, const Method& method,
                                                                            ClientContext& context, std::string request,
                                                                            Payload payload) {
  return channel.BlockingUnary(method, context, std::move(request), std::move(payload));
}

std::unique_ptr<internal::RawClientStream> internal::ChannelAccess::StartStream(Channel& channel, const Method& method,
                                                                                ClientContext& context,
                                                                                std::optional<RawMessage> first) {
  return channel.StartStream(method, context, std::move(first));
}

}  // namespace pagewire
