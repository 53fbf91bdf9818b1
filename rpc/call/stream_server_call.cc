#include "call/stream_server_call.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "base/status.h"

namespace pagewire::call {
namespace {

// What a handler uses, from its threads.
class ServerStream final : public internal::RawServerStream {
 public:
  ServerStream(transport::Loop& loop, std::weak_ptr<StreamServerCall> call,
               std::shared_ptr<internal::ServerCallState> state)
      : loop_(loop), call_(std::move(call)), state_(std::move(state)) {}

  void Read(ReadDone done) override {
    loop_.Post([call = call_, state = state_, done = std::move(done)]() mutable {
      if (const auto open = call.lock()) return open->Read(std::move(done));
      done(Gone(*state));
    });
  }

  void Write(internal::RawMessage message, bool, WriteDone done) override {
    loop_.Post([call = call_, state = state_, metadata = state_->TakeInitialMetadata(), message = std::move(message),
                done = std::move(done)]() mutable {
      if (const auto open = call.lock()) return open->Write(std::move(metadata), std::move(message), std::move(done));
      done(Gone(*state));
    });
  }

  void Reject() override {}
  uint64_t PeerReceivedBytes() const override { return state_->peer_received_bytes.load(std::memory_order_relaxed); }

  void SendInitialMetadata() override {
    std::optional<Metadata> metadata = state_->TakeInitialMetadata();
    if (!metadata.has_value()) return;
    loop_.Post([call = call_, metadata = std::move(*metadata)]() mutable {
      if (const auto open = call.lock()) open->SendInitialMetadata(std::move(metadata));
    });
  }

 private:
  static absl::Status Gone(const internal::ServerCallState& state) {
    return absl::CancelledError(absl::StrCat(base::ToAbsl(state.method), ": the call is over"));
  }

  transport::Loop& loop_;
  const std::weak_ptr<StreamServerCall> call_;
  const std::shared_ptr<internal::ServerCallState> state_;
};

}  // namespace

StreamServerCall::StreamServerCall(transport::Loop& loop, transport::Session& session, const Method& method,
                                   std::shared_ptr<internal::ServerCallState> state, uint64_t call_id,
                                   uint64_t max_metadata_bytes)
    : ServerCall(loop, session, method, std::move(state), call_id, max_metadata_bytes),
      inbox_([this](transport::Unread unread) { this->session().OnRead(this->call_id(), std::move(unread)); }) {}

bool StreamServerCall::TakeMessage(transport::IncomingMessage message) {
  if (request_seen_ && !StreamsRequest(method().type)) {
    End(absl::InternalError(absl::StrCat(method_name(), ": a server-streaming call has exactly one request message")),
        !running());
    return false;
  }
  if (method().piecewise && request_seen_ != (message.payload_id != 0)) {
    End(absl::InvalidArgumentError(absl::StrCat(method_name(), ": a piecewise call has one request message without a ",
                                                "payload, then pieces; this is ",
                                                request_seen_ ? "a further message without one" : "a piece")),
        !running());
    return false;
  }
  request_seen_ = true;
  last_seen_ = message.last;
  inbox_.OnMessage(std::move(message));
  return MayRun();
}

bool StreamServerCall::TakePayload(Payload payload, transport::Unread unread) {
  inbox_.OnPayload(std::move(payload), std::move(unread));
  return MayRun();
}

bool StreamServerCall::TakeHalfClose() {
  last_seen_ = true;
  if (!request_seen_ && has_request()) {
    End(absl::InternalError(absl::StrCat(method_name(), ": the client ended its request before the message")), true);
    return false;
  }
  return MayRun();
}

bool StreamServerCall::MayRun() {
  const bool complete = last_seen_ && !inbox_.awaits_payload();
  if (complete) inbox_.End(absl::OkStatus());
  if (RunsAtOnce() || running()) return false;
  return complete || method().piecewise;
}

void StreamServerCall::StartHandler(const HandlerTable& table, HandlerTable::Done done) {
  internal::RawMessage request;
  if (has_request()) request = inbox_.TakeFront();  // it has come: the handler does not run before
  table.Run(method(), state(), std::move(request), std::make_shared<ServerStream>(loop(), weak_from_this(), state()),
            std::move(done));
}

void StreamServerCall::Write(std::optional<Metadata> initial_metadata, internal::RawMessage message,
                             internal::RawStream::WriteDone done) {
  if (answered()) return outbox_.Add(0, std::move(done));
  if (method().piecewise && !response_sent_ && message.payload.size() > 0) {
    return done(absl::FailedPreconditionError(absl::StrCat(method_name(), ": WriteMessage comes before the pieces")));
  }
  if (method().piecewise && response_sent_) {
    if (!message.bytes.empty()) {
      return done(absl::FailedPreconditionError(absl::StrCat(method_name(), ": WriteMessage was called before")));
    }
    const uint64_t bytes = message.payload.size();
    session().SendPieces(call_id(), {std::move(message.payload)});
    return outbox_.AddPieces(bytes, std::move(done));
  }
  response_sent_ = true;
  absl::StatusOr<wire::v1::MessagePart> part = MakePart(std::move(initial_metadata).value_or(Metadata()));
  if (!part.ok()) {
    End(part.status());
    return outbox_.Add(0, std::move(done));
  }
  const uint64_t bytes = message.bytes.size();
  const uint64_t payload_bytes = message.payload.size();
  SendMessage(*std::move(part), std::move(message), /*last=*/false);
  if (payload_bytes > 0) outbox_.Add(payload_bytes, [](absl::Status) {});
  outbox_.Add(bytes, std::move(done));
}

void StreamServerCall::SendInitialMetadata(Metadata initial_metadata) {
  if (answered()) return;
  absl::StatusOr<wire::v1::MessagePart> part = MakePart(initial_metadata);
  if (!part.ok()) return End(part.status());
  session().SendMessage(call_id(), {.head = *std::move(part), .has_message = false, .bytes = {}});
}

void StreamServerCall::Answer(internal::RawMessage) { SendFinalStatus(absl::OkStatus()); }

void StreamServerCall::TakeEnd(const absl::Status& status) {
  const auto keep = shared_from_this();
  inbox_.Fail(base::CloneStatus(status));
  outbox_.Fail(base::CloneStatus(status));
}

}  // namespace pagewire::call
