#include <pagewire/channel.h>
#include <pagewire/executor.h>
#include <pagewire/internal/channel_access.h>

#include <absl/strings/str_cat.h>

#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "base/string_view.h"
#include "call/interception.h"
#include "call/stream_client_call.h"
#include "call/unary_client_call.h"
#include "client/channel_core.h"
#include "client/channel_factory.h"
#include "client/client_call_state.h"
#include "client/client_stream.h"
#include "client/connectivity.h"
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
  explicit BrokenChannel(absl::Status status) : status_(std::move(status)) {
    connectivity_.Set(ConnectivityState::kTransientFailure);
  }
  ~BrokenChannel() override { connectivity_.Set(ConnectivityState::kShutdown); }

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
};

class CoreChannel final : public Channel {
 public:
  CoreChannel(transport::Loop& loop, std::shared_ptr<ChannelCore> core, std::shared_ptr<Connectivity> connectivity,
              const ChannelOptions& options)
      : loop_(loop),
        core_(std::move(core)),
        connectivity_(std::move(connectivity)),
        max_metadata_bytes_(options.max_metadata_bytes),
        interceptors_(options.interceptors) {}

  ~CoreChannel() override {
    loop_.Post([core = std::move(core_)] { core->Shutdown(); });
  }

  ConnectivityState GetState(bool try_to_connect) override {
    const ConnectivityState state = connectivity_->state();
    if (try_to_connect && state == ConnectivityState::kIdle) loop_.Post([core = core_] { core->TryToConnect(); });
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
    const std::shared_ptr<ClientCallState> state = internal::ClientContextAccess::State(context);
    absl::StatusOr<Observers> observers = Begin(method, context, *state);
    if (!observers.ok()) {
      DefaultExecutor().Run(
          [status = std::move(observers).status(), done = std::move(done)]() mutable { done(std::move(status)); });
      return;
    }
    Start(method, state, *std::move(observers), std::move(request), std::move(payload),
          [state, done = std::move(done)](call::UnaryResult result) mutable {
            DefaultExecutor().Run([state, result = std::move(result), done = std::move(done)]() mutable {
              state->Take(result.outcome);
              done(Reply(std::move(result)));
            });
          });
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
    const auto waiter = std::make_shared<Waiter>();
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

  uint64_t MaxMetadataBytes(const Method& method) const {
    const call::MethodTerms* own = core_->method_terms()->Find(method.name);
    return own != nullptr ? own->max_metadata_bytes : max_metadata_bytes_;
  }

  // Who watches the call that is about to be made, null for nobody; or why it is not made.
  using Observers = std::shared_ptr<call::CallObservers>;
  absl::StatusOr<Observers> Begin(const Method& method, ClientContext& context, ClientCallState& state) const {
    if (!state.Claim()) {
      return absl::FailedPreconditionError(
          absl::StrCat(base::ToAbsl(method.name), ": this ClientContext has served a call already; use a new one"));
    }
    absl::StatusOr<Observers> observers = call::Intercept(interceptors_, method, context);
    if (!observers.ok()) return observers;
    absl::Status status = CheckMetadata(method, state);
    if (status.ok()) return observers;
    if (*observers != nullptr) (*observers)->End(status);
    return status;
  }

  absl::Status CheckMetadata(const Method& method, const ClientCallState& state) const {
    if (!state.metadata_error.ok()) return base::Annotate(state.metadata_error, method.name);
    const uint64_t limit = MaxMetadataBytes(method);
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
      state->Take(outcome);
      if (observers != nullptr) observers->End(outcome.status);
    };
    auto call = std::make_shared<call::StreamClientCall>(loop_, Terms(method, *state), std::move(events));
    auto stream = std::make_unique<ClientStream>(loop_, call, observers);
    // Before the call is started, so that its first frame carries the message.
    if (first.has_value()) stream->Write(*std::move(first), !StreamsRequest(method.type), [](absl::Status) {});
    Post(state, std::move(call));
    return stream;
  }

  call::CallTerms Terms(const Method& method, ClientCallState& state) const {
    call::CallTerms terms;
    terms.method = std::string(method.name);
    terms.deadline = state.deadline;
    terms.metadata = std::move(state.metadata);
    terms.payload_events = std::move(state.payload_events);
    terms.takes_response_payload = HasResponsePayload(method.payload);
    terms.piecewise = method.piecewise;
    terms.method_terms = core_->method_terms();
    terms.own = terms.method_terms->Find(method.name);
    terms.max_metadata_bytes = MaxMetadataBytes(method);
    return terms;
  }

  void Start(const Method& method, const std::shared_ptr<ClientCallState>& state, Observers observers,
             std::string request, Payload payload, call::UnaryClientCall::Done done) {
    if (observers != nullptr) {
      observers->Sent(request.size(), payload.size());
      done = [observers, done = std::move(done)](call::UnaryResult result) mutable {
        if (result.outcome.status.ok()) observers->Received(result.message.size(), result.payload.size());
        observers->End(result.outcome.status);
        done(std::move(result));
      };
    }
    Post(state, std::make_shared<call::UnaryClientCall>(
                    loop_, call::UnaryRequest{Terms(method, *state), std::move(request), std::move(payload)},
                    std::move(done)));
  }

  void Post(const std::shared_ptr<ClientCallState>& state, std::shared_ptr<call::ClientCall> call) {
    auto cancel = [weak = std::weak_ptr<call::ClientCall>(call), &loop = loop_] {
      loop.Post([weak] {
        if (const auto started = weak.lock()) started->Cancel(absl::CancelledError("cancelled by the client"));
      });
    };
    auto start = [core = core_, call = std::move(call), wait_for_ready = state->wait_for_ready]() mutable {
      core->Start(std::move(call), wait_for_ready);
    };
    transport::Loop& loop = loop_;
    // First, so that a call that was cancelled already ends before it is started. From here on it may be over at any
    // moment, and with it this channel.
    state->SetCanceller(std::move(cancel));
    loop.Post(std::move(start));
  }

  static absl::StatusOr<RawMessage> Reply(call::UnaryResult result) {
    if (!result.outcome.status.ok()) return std::move(result.outcome.status);
    return RawMessage{std::move(result.message), std::move(result.payload)};
  }

  transport::Loop& loop_;
  std::shared_ptr<ChannelCore> core_;
  const std::shared_ptr<Connectivity> connectivity_;
  const uint64_t max_metadata_bytes_;
  const std::vector<std::shared_ptr<ClientInterceptor>> interceptors_;
};

}  // namespace

std::shared_ptr<Channel> MakeChannel(transport::EpollLoop& loop, std::unique_ptr<Connector> connector,
                                     const ChannelOptions& options) {
  absl::StatusOr<transport::Paths> paths = transport::RequestedPaths(options.send_path, options.receive_path);
  if (!paths.ok()) return std::make_shared<BrokenChannel>(paths.status());
  for (const auto& interceptor : options.interceptors) {
    if (interceptor != nullptr) continue;
    return std::make_shared<BrokenChannel>(
        absl::InvalidArgumentError("ChannelOptions::interceptors: one of them is null"));
  }
  auto random = [bits = std::make_shared<std::minstd_rand>(std::random_device()())] {
    return std::uniform_real_distribution<double>(0.0, 1.0)(*bits);
  };
  auto connectivity = std::make_shared<Connectivity>();
  auto core =
      std::make_shared<ChannelCore>(loop, std::move(connector), options, *paths, std::move(random), connectivity);
  return std::make_shared<CoreChannel>(loop, std::move(core), std::move(connectivity), options);
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
        "the channel has no credentials; pass InsecureChannelCredentials() for plain TCP"));
  }
  transport::EpollLoop& loop = transport::LoopPool::Default().Next();
  return client::MakeChannel(loop, client::MakeSocketConnector(loop, target, options.connect_timeout), options);
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
