#include "client/lane.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "base/string_view.h"
#include "transport/session_offer.h"

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

class Lane::Connection final : private call::ClientConnection::Observer {
 public:
  Connection(Lane& lane, std::unique_ptr<transport::ByteStream> stream, transport::SessionOptions options)
      : lane_(lane.shared_from_this()), connection_(lane.loop_, std::move(stream), *this, std::move(options)) {}

  call::ClientConnection& operator*() { return connection_; }
  call::ClientConnection* operator->() { return &connection_; }

 private:
  void OnConnectionReady() override { lane_->OnReady(*this); }
  void OnConnectionDraining(const absl::Status& reason) override { lane_->OnDraining(*this, reason); }
  void OnConnectionIdle() override {
    const std::shared_ptr<Lane> lane = lane_;
    lane->OnIdle(*this);
  }
  void OnConnectionClosed(const absl::Status& status) override {
    const std::shared_ptr<Lane> lane = lane_;  // OnClosed destroys this connection
    lane->OnClosed(*this, status);
  }

  const std::shared_ptr<Lane> lane_;
  call::ClientConnection connection_;
};

LaneTerms::LaneTerms(const ChannelOptions& channel_options, transport::Paths channel_paths)
    : options(channel_options),
      paths(channel_paths),
      session_id(transport::RandomSessionId()),
      owner(call::Directory::Process().NewOwner()),
      held_budget(
          memory::MakeChildOfProcessBudget("channel", options.held_budget_bytes, "ChannelOptions::held_budget_bytes")),
      method_terms(std::make_shared<call::MethodTermsTable>(options.method_limits, LimitsOf(options))),
      admission(std::make_shared<call::Admission>(
          call::Admission::Options{.max_calls = options.max_concurrent_calls,
                                   .where = "on this channel",
                                   .option = "ChannelOptions::max_concurrent_calls",
                                   .method_option = "MethodLimits::max_concurrent_calls"})) {
  method_terms->LimitCalls(*admission);
}

Lane::Lane(uint32_t id, transport::Loop& loop, std::unique_ptr<Connector> connector,
           std::shared_ptr<const LaneTerms> terms, std::shared_ptr<Connectivity> connectivity)
    : id_(id),
      loop_(loop),
      connector_(std::move(connector)),
      terms_(std::move(terms)),
      connectivity_(std::move(connectivity)),
      shown_as_(connectivity_->Add()),
      backoff_(terms_->options.initial_backoff, terms_->options.max_backoff, RandomFractions()) {}

Lane::~Lane() = default;

transport::SessionOptions Lane::SessionOptions(const std::string& peer) const {
  transport::SessionOptions session = LimitsOf(terms_->options);
  terms_->method_terms->RaiseMost(session);
  session.initiator = true;
  session.session_id = terms_->session_id;
  session.lane_id = id_;
  session.owner = terms_->owner;
  session.target = connector_->target();
  // A level of its own, so that it can be told who holds what of whose.
  session.held_budget =
      std::make_shared<memory::Budget>("connection", memory::Budget::kNoLimit, "", terms_->held_budget.get(), peer);
  session.payload_digests = terms_->options.payload_digests;
  session.send_path = terms_->paths.send;
  session.receive_path = terms_->paths.receive;
  session.handshake_timeout = terms_->options.connect_timeout;
  session.idle_timeout = terms_->options.idle_timeout;
  session.keepalive = {terms_->options.keepalive_time, terms_->options.keepalive_timeout,
                       terms_->options.keepalive_without_calls};
  return session;
}

void Lane::Start(std::shared_ptr<call::ClientCall> call, bool wait_for_ready) {
  if (call->finished()) return;
  call->ArmDeadline();
  if (call->finished()) return;
  if (shut_down_) return call->Finish(absl::CancelledError("the channel was destroyed"), true);
  absl::StatusOr<call::Place> place = terms_->admission->Admit(base::ToStd(call->method()), 0);
  if (!place.ok()) return call->Finish(place.status(), true);
  call->KeepPlace(*std::move(place));
  switch (state_) {
    case State::kReady:
      if (!wait_for_ready || (*current_)->ready()) return (*current_)->Send(std::move(call));
      break;
    case State::kTransientFailure:
      if (!wait_for_ready || retired_) return call->Finish(last_failure_, true);
      break;
    case State::kIdle:
      Connect();
      break;
    case State::kConnecting:
      break;
  }
  std::erase_if(waiting_, [](const Waiting& waiting) { return waiting.call->finished(); });
  call->set_waiting_number(++last_waiting_);
  waiting_.push_back({std::move(call), wait_for_ready});
}

bool Lane::Describe(call::ConnectionView& view) const {
  if (current_ != nullptr || (state_ != State::kConnecting && state_ != State::kTransientFailure)) return false;
  view.client = true;
  view.owner = terms_->owner;
  view.target = connector_ == nullptr ? "" : connector_->target();
  view.state = state_ == State::kConnecting ? call::ConnectionView::State::kConnecting
                                            : call::ConnectionView::State::kTransientFailure;
  if (state_ == State::kTransientFailure) view.failure = std::string(last_failure_.message());
  for (const Waiting& waiting : waiting_) view.calls_waiting += waiting.call->finished() ? 0 : 1;
  return true;
}

void Lane::DescribeCalls(uint64_t after, absl::Time until, size_t limit, std::vector<call::CallView>& calls) const {
  for (const Waiting& waiting : waiting_) {
    const call::ClientCall& call = *waiting.call;
    if (call.finished() || call.waiting_number() <= after || call.began() > until) continue;
    call::CallView& view = calls.emplace_back();
    call.Describe(view);
    view.place.call = call.waiting_number();
    if (calls.size() >= limit) return;
  }
}

void Lane::TryToConnect() {
  if (state_ == State::kIdle && !shut_down_) Connect();
}

call::Place Lane::Occupy() {
  calls_.fetch_add(1, std::memory_order_relaxed);
  return call::Place(nullptr,
                     [lane = shared_from_this()](void*) { lane->calls_.fetch_sub(1, std::memory_order_relaxed); });
}

void Lane::Show(ConnectivityState state) {
  shown_.store(state, std::memory_order_relaxed);
  connectivity_->Set(shown_as_, state);
}

void Lane::Become(State state) {
  state_ = state;
  switch (state) {
    case State::kIdle:
      return Show(ConnectivityState::kIdle);
    case State::kConnecting:
    case State::kReady:  // see OnReady
      return Show(ConnectivityState::kConnecting);
    case State::kTransientFailure:
      return Show(ConnectivityState::kTransientFailure);
  }
}

void Lane::BecomeIdle() { waiting_.empty() ? Become(State::kIdle) : Connect(); }

void Lane::Connect() {
  if (!listing_.has_value()) listing_.emplace(&loop_, weak_from_this());
  Become(State::kConnecting);
  connector_->Connect(
      [this](absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream) { OnConnected(std::move(stream)); });
}

void Lane::OnConnected(absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream) {
  if (!stream.ok()) return OnAttemptFailed(stream.status());
  // Calls may start before the server's preface has come, but for those that wait for it; the attempt counts as failed
  // if it never does.
  Become(State::kReady);
  transport::SessionOptions options = SessionOptions((*stream)->peer());
  connections_.push_back(std::make_unique<Connection>(*this, *std::move(stream), std::move(options)));
  current_ = connections_.back().get();
  (*current_)->Start();
  SendWaiting(/*ready=*/false);
  if (retired_ && waiting_.empty()) (*current_)->CloseWhenIdle();
}

void Lane::SendWaiting(bool ready) {
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    if (waiting.call->finished()) continue;
    if (waiting.wait_for_ready && !ready) {
      waiting_.push_back(std::move(waiting));
    } else {
      (*current_)->Send(std::move(waiting.call));
    }
  }
}

void Lane::OnAttemptFailed(const absl::Status& status) {
  Become(State::kTransientFailure);
  const auto code =
      status.code() == absl::StatusCode::kInvalidArgument ? status.code() : absl::StatusCode::kUnavailable;
  last_failure_ = absl::Status(code, absl::StrCat("no connection to ", connector_->target(), ": ", status.message()));
  const absl::Duration delay = backoff_.Next();
  retry_timer_ = loop_.RunAfter(delay, [this] {
    retry_timer_ = 0;
    BecomeIdle();
  });
  for (Waiting& waiting : std::exchange(waiting_, {})) {
    if (waiting.wait_for_ready && code == absl::StatusCode::kUnavailable && !retired_) {
      if (!waiting.call->finished()) waiting_.push_back(std::move(waiting));
    } else {
      waiting.call->Finish(last_failure_, true);
    }
  }
}

void Lane::OnReady(Connection& connection) {
  backoff_.Reset();
  if (current_ != &connection) return;
  Show(ConnectivityState::kReady);
  SendWaiting(/*ready=*/true);
  if (retired_) (*current_)->CloseWhenIdle();
}

void Lane::OnDraining(Connection& connection, const absl::Status& reason) {
  if (current_ != &connection) return;
  current_ = nullptr;
  if (reason.ok()) {
    BecomeIdle();
  } else {
    OnAttemptFailed(reason);  // the next one at once would fare no better
  }
}

void Lane::OnIdle(Connection& connection) {
  OnDraining(connection, absl::OkStatus());
  connection->Close(absl::OkStatus());
}

void Lane::OnClosed(Connection& connection, const absl::Status& status) {
  const bool was_current = current_ == &connection;
  const bool was_ready = connection->ready();
  std::erase_if(connections_, [&](const auto& candidate) { return candidate.get() == &connection; });
  if (!was_current) return;
  current_ = nullptr;
  if (shut_down_) return;
  if (was_ready) {
    BecomeIdle();
  } else {
    connector_->Avoid();
    OnAttemptFailed(status);
  }
}

void Lane::Retire() {
  retired_ = true;
  connectivity_->Remove(shown_as_);
  if (current_ != nullptr && waiting_.empty()) (*current_)->CloseWhenIdle();  // else once they are sent
  if (state_ != State::kTransientFailure) return;
  // They waited for a server that is gone for good.
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.call->Finish(last_failure_, true);
}

void Lane::Shutdown() {
  if (std::exchange(shut_down_, true)) return;
  listing_.reset();
  Show(ConnectivityState::kShutdown);
  connector_.reset();
  loop_.CancelTimer(std::exchange(retry_timer_, 0));
  const absl::Status cancelled = absl::CancelledError("the channel was destroyed");
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.call->Finish(cancelled, true);
  current_ = nullptr;
  const std::vector<std::unique_ptr<Connection>>& connections = connections_;
  for (size_t i = connections.size(); i-- > 0;) (*connections[i])->Close(cancelled);
}

}  // namespace pagewire::client
