#include "client/channel_core.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

namespace pagewire::client {
namespace {

transport::SessionOptions LimitsOf(const ChannelOptions& options) {
  transport::SessionOptions session;
  session.limits = {options.max_message_bytes, options.max_payload_bytes, "ChannelOptions::max_message_bytes",
                    "ChannelOptions::max_payload_bytes"};
  session.max_metadata_bytes = options.max_metadata_bytes;
  return session;
}

}  // namespace

class ChannelCore::Connection final : private call::ClientConnection::Observer {
 public:
  Connection(ChannelCore& core, std::unique_ptr<transport::ByteStream> stream)
      : core_(core.shared_from_this()), connection_(core.loop_, std::move(stream), *this, core.SessionOptions()) {}

  call::ClientConnection& operator*() { return connection_; }
  call::ClientConnection* operator->() { return &connection_; }

 private:
  void OnConnectionReady() override { core_->OnReady(*this); }
  void OnConnectionDraining() override { core_->OnDraining(*this); }
  void OnConnectionIdle() override {
    const std::shared_ptr<ChannelCore> core = core_;
    core->OnIdle(*this);
  }
  void OnConnectionClosed(const absl::Status& status) override {
    const std::shared_ptr<ChannelCore> core = core_;  // OnClosed destroys this connection
    core->OnClosed(*this, status);
  }

  const std::shared_ptr<ChannelCore> core_;
  call::ClientConnection connection_;
};

ChannelCore::ChannelCore(transport::Loop& loop, std::unique_ptr<Connector> connector, const ChannelOptions& options,
                         transport::Paths paths, std::function<double()> random,
                         std::shared_ptr<Connectivity> connectivity)
    : loop_(loop),
      connector_(std::move(connector)),
      options_(options),
      paths_(paths),
      held_budget_(
          memory::MakeChildOfProcessBudget("channel", options.held_budget_bytes, "ChannelOptions::held_budget_bytes")),
      method_terms_(std::make_shared<call::MethodTermsTable>(options.method_limits, LimitsOf(options))),
      admission_(std::make_shared<call::Admission>(
          call::Admission::Options{.max_calls = options.max_concurrent_calls,
                                   .where = "on this channel",
                                   .option = "ChannelOptions::max_concurrent_calls",
                                   .method_option = "MethodLimits::max_concurrent_calls"})),
      connectivity_(std::move(connectivity)),
      backoff_(options.initial_backoff, options.max_backoff, std::move(random)) {
  method_terms_->LimitCalls(*admission_);
}

ChannelCore::~ChannelCore() = default;

transport::SessionOptions ChannelCore::SessionOptions() const {
  transport::SessionOptions session = LimitsOf(options_);
  method_terms_->RaiseMost(session);
  session.initiator = true;
  session.held_budget = held_budget_;
  session.send_path = paths_.send;
  session.receive_path = paths_.receive;
  session.handshake_timeout = options_.connect_timeout;
  session.idle_timeout = options_.idle_timeout;
  session.keepalive = {options_.keepalive_time, options_.keepalive_timeout, options_.keepalive_without_calls};
  return session;
}

void ChannelCore::Start(std::shared_ptr<call::ClientCall> call, bool wait_for_ready) {
  if (call->finished()) return;
  call->ArmDeadline();
  if (shut_down_) return call->Finish(absl::CancelledError("the channel was destroyed"), true);
  absl::StatusOr<call::Place> place = admission_->Admit(call->method(), 0);
  if (!place.ok()) return call->Finish(place.status(), true);
  call->KeepPlace(*std::move(place));
  switch (state_) {
    case State::kReady:
      return (*current_)->Send(std::move(call));
    case State::kTransientFailure:
      if (!wait_for_ready) return call->Finish(last_failure_, true);
      break;
    case State::kIdle:
      Connect();
      break;
    case State::kConnecting:
      break;
  }
  std::erase_if(waiting_, [](const Waiting& waiting) { return waiting.call->finished(); });
  waiting_.push_back({std::move(call), wait_for_ready});
}

void ChannelCore::TryToConnect() {
  if (state_ == State::kIdle && !shut_down_) Connect();
}

void ChannelCore::Become(State state) {
  state_ = state;
  switch (state) {
    case State::kIdle:
      return connectivity_->Set(ConnectivityState::kIdle);
    case State::kConnecting:
    case State::kReady:  // see OnReady
      return connectivity_->Set(ConnectivityState::kConnecting);
    case State::kTransientFailure:
      return connectivity_->Set(ConnectivityState::kTransientFailure);
  }
}

void ChannelCore::Connect() {
  Become(State::kConnecting);
  connector_->Connect(
      [this](absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream) { OnConnected(std::move(stream)); });
}

void ChannelCore::OnConnected(absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream) {
  if (!stream.ok()) return OnAttemptFailed(stream.status());
  // Calls may start before the server's preface has come; the attempt counts as failed if it never does.
  Become(State::kReady);
  connections_.push_back(std::make_unique<Connection>(*this, *std::move(stream)));
  current_ = connections_.back().get();
  (*current_)->Start();
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    if (!waiting.call->finished()) (*current_)->Send(std::move(waiting.call));
  }
}

void ChannelCore::OnAttemptFailed(const absl::Status& status) {
  Become(State::kTransientFailure);
  const auto code =
      status.code() == absl::StatusCode::kInvalidArgument ? status.code() : absl::StatusCode::kUnavailable;
  last_failure_ = absl::Status(code, absl::StrCat("no connection to ", connector_->target(), ": ", status.message()));
  const absl::Duration delay = backoff_.Next();
  retry_timer_ = loop_.RunAfter(delay, [this] {
    retry_timer_ = 0;
    if (waiting_.empty()) {
      Become(State::kIdle);
    } else {
      Connect();
    }
  });
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    if (waiting.wait_for_ready && code == absl::StatusCode::kUnavailable) {
      if (!waiting.call->finished()) waiting_.push_back(std::move(waiting));
    } else {
      waiting.call->Finish(last_failure_, true);
    }
  }
}

void ChannelCore::OnReady(Connection& connection) {
  backoff_.Reset();
  if (current_ == &connection) connectivity_->Set(ConnectivityState::kReady);
}

void ChannelCore::OnDraining(Connection& connection) {
  if (current_ != &connection) return;
  current_ = nullptr;
  Become(State::kIdle);
}

void ChannelCore::OnIdle(Connection& connection) {
  OnDraining(connection);
  connection->Close(absl::OkStatus());
}

void ChannelCore::OnClosed(Connection& connection, const absl::Status& status) {
  const bool was_current = current_ == &connection;
  const bool was_ready = connection->ready();
  std::erase_if(connections_, [&](const auto& candidate) { return candidate.get() == &connection; });
  if (!was_current) return;
  current_ = nullptr;
  if (shut_down_) return;
  if (was_ready) {
    Become(State::kIdle);
  } else {
    OnAttemptFailed(status);
  }
}

void ChannelCore::Shutdown() {
  shut_down_ = true;
  connectivity_->Set(ConnectivityState::kShutdown);
  connector_.reset();
  loop_.CancelTimer(std::exchange(retry_timer_, 0));
  const absl::Status cancelled = absl::CancelledError("the channel was destroyed");
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.call->Finish(cancelled, true);
  current_ = nullptr;
  const std::vector<std::unique_ptr<Connection>>& connections = connections_;
  for (size_t i = connections.size(); i-- > 0;) (*connections[i])->Close(cancelled);
}

}  // namespace pagewire::client
