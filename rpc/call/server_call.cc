#include "call/server_call.h"

#include <absl/strings/str_cat.h>
#include <pagewire/internal/block_pool.h>

#include <utility>

#include "base/status.h"
#include "call/stream_server_call.h"
#include "call/unary_server_call.h"
#include "call/wire_status.h"
#include "wire/metadata.h"

namespace pagewire::call {

ServerCall::ServerCall(transport::Loop& loop, transport::Session& session, const Method& method,
                       std::shared_ptr<internal::ServerCallState> state, uint64_t call_id, uint64_t max_metadata_bytes)
    : loop_(loop),
      session_(session),
      method_(method),
      state_(std::move(state)),
      call_id_(call_id),
      max_metadata_bytes_(max_metadata_bytes) {}

ServerCall::~ServerCall() { loop_.CancelTimer(deadline_timer_); }

void ServerCall::ArmDeadline(absl::AnyInvocable<void()> expired) {
  if (state_->deadline == absl::InfiniteFuture()) return;
  auto end = [this, expired = std::move(expired)]() mutable {
    End(absl::DeadlineExceededError(absl::StrCat(method_name(), ": the deadline passed ",
                                                 running_ ? "in the handler" : "before the request was complete")),
        /*not_started=*/!running_);
    std::move(expired)();
  };
  deadline_timer_ = loop_.RunAfter(state_->deadline - absl::Now(), internal::Box(std::move(end)));
}

bool ServerCall::OnMessage(transport::IncomingMessage message) {
  if (answered_) return false;
  if (message.payload_id != 0 && !HasRequestPayload(method_.payload)) {
    End(absl::InvalidArgumentError(absl::StrCat(
            method_name(), ": the method takes no payload with its request (see option pagewire.payload)")),
        !running_);
    return false;
  }
  return TakeMessage(std::move(message));
}

bool ServerCall::OnPayload(absl::StatusOr<Payload> payload, const TransferReport& report, transport::Unread unread) {
  if (answered_) return false;
  if (!payload.ok()) {
    End(base::Annotate(payload.status(), state_->method), !running_);
    return false;
  }
  if (running_) {
    state_->PayloadReceived(report);
  } else {
    state_->transfers.Mutable().received = report;
  }
  return TakePayload(*std::move(payload), std::move(unread));
}

bool ServerCall::OnHalfClose() { return !answered_ && TakeHalfClose(); }

void ServerCall::OnItemSent(uint64_t bytes) {
  if (!answered_) TakeItemSent(bytes);
}

void ServerCall::OnReceipt(const TransferReport& report) {
  state_->peer_received_bytes.fetch_add(report.payload_bytes, std::memory_order_relaxed);
  state_->PayloadSent(report);
}

void ServerCall::Run(const HandlerTable& table, HandlerTable::Done done) {
  running_ = true;
  StartHandler(table, std::move(done));
}

void ServerCall::OnHandlerReturned(absl::StatusOr<internal::RawMessage> reply) {
  running_ = false;
  if (answered_) return;
  absl::Status status = reply.status();
  metadata_ = state_->TakeMetadata();
  if (status.ok()) status = metadata_.error;
  for (Metadata* metadata : {&metadata_.initial, &metadata_.trailing}) {
    absl::Status size = CheckMetadataSize(*metadata);
    if (size.ok()) continue;
    metadata->clear();
    if (status.ok()) status = std::move(size);
  }
  if (status.ok()) return Answer(*std::move(reply));
  SendFinalStatus(status);
}

absl::Status ServerCall::CheckMetadataSize(const Metadata& metadata) const {
  const uint64_t bytes = wire::MetadataBytes(metadata);
  if (bytes <= max_metadata_bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(method_name(), ": the handler's metadata of ", bytes,
                                                   " bytes is larger than the limit of ", max_metadata_bytes_,
                                                   "; raise ServerBuilder::SetMaxMetadataBytes, or the method's by "
                                                   "SetMethodLimits"));
}

absl::StatusOr<wire::v1::MessagePart> ServerCall::MakePart(const Metadata& initial_metadata) {
  absl::StatusOr<wire::v1::MessagePart> part(absl::in_place);
  part->set_call_id(call_id_);
  if (initial_metadata.empty()) return part;
  if (absl::Status status = CheckMetadataSize(initial_metadata); !status.ok()) return status;
  WriteMetadata(initial_metadata, *part->mutable_initial_metadata());
  if (absl::Status fits = session_.CheckFits(wire::FrameType::kMessage, *part); !fits.ok()) {
    return base::Annotate(fits, state_->method);
  }
  return part;
}

void ServerCall::SendMessage(wire::v1::MessagePart&& part, internal::RawMessage&& message, bool last) {
  const bool has_payload = message.payload.size() > 0;
  if (!has_payload && last) return session_.SendOnly(call_id_, part, message.bytes);
  session_.SendMessage(
      call_id_,
      {.head = std::move(part), .bytes = std::move(message.bytes), .last = last, .with_payload = has_payload});
  if (has_payload) session_.SendPayload(call_id_, {std::move(message.payload)});
}

void ServerCall::SendFinalStatus(const absl::Status& status) {
  wire::v1::CallStatus body;
  if (!metadata_.initial.empty()) WriteMetadata(metadata_.initial, *body.mutable_initial_metadata());
  if (!metadata_.trailing.empty()) WriteMetadata(metadata_.trailing, *body.mutable_trailing_metadata());
  session_.DiscardIncoming(call_id_);
  SendStatus(status, std::move(body));
}

void ServerCall::End(const absl::Status& status, bool not_started) {
  if (answered_) return;
  state_->Cancel();
  session_.StopSending(call_id_);
  session_.DiscardIncoming(call_id_);
  wire::v1::CallStatus body;  // without metadata: the handler may still be writing it
  body.set_not_started(not_started);
  SendStatus(status, std::move(body));
  TakeEnd(status);
}

void ServerCall::Drop() {
  state_->Cancel();
  answered_ = true;
  loop_.CancelTimer(std::exchange(deadline_timer_, 0));
  TakeEnd(absl::CancelledError(absl::StrCat(method_name(), ": the connection to the client is gone")));
}

void ServerCall::Describe(CallView& view) const {
  view.method = std::string(state_->method);
  view.peer = *state_->peer;
  view.deadline = state_->deadline;
  view.began = began_;
  view.phase = !running_   ? CallView::Phase::kReceiving
               : answered_ ? CallView::Phase::kEnded
                           : CallView::Phase::kRunning;
}

void ServerCall::SendStatus(const absl::Status& status, wire::v1::CallStatus&& body) {
  answered_ = true;
  loop_.CancelTimer(std::exchange(deadline_timer_, 0));
  body.set_call_id(call_id_);
  WriteStatus(status, body);
  session_.SendStatus(std::move(body), std::shared_ptr<const std::string_view>(state_, &state_->method));
}

std::shared_ptr<ServerCall> MakeServerCall(transport::Loop& loop, transport::Session& session, const Method& method,
                                           std::shared_ptr<internal::ServerCallState> state, uint64_t call_id,
                                           uint64_t max_metadata_bytes) {
  if (method.type == MethodType::kUnary) {
    return internal::MakeShared<UnaryServerCall>(loop, session, method, std::move(state), call_id, max_metadata_bytes);
  }
  return internal::MakeShared<StreamServerCall>(loop, session, method, std::move(state), call_id, max_metadata_bytes);
}

}  // namespace pagewire::call
