#include "call/server_call.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "base/status.h"
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
  deadline_timer_ = loop_.RunAfter(state_->deadline - absl::Now(), [this, expired = std::move(expired)]() mutable {
    End(absl::DeadlineExceededError(absl::StrCat(state_->method, ": the deadline passed ",
                                                 running_ ? "in the handler" : "before the request was complete")),
        /*not_started=*/!running_);
    std::move(expired)();
  });
}

bool ServerCall::OnMessage(transport::IncomingMessage message) {
  if (answered_) return false;
  if (request_seen_) {
    End(absl::InternalError(absl::StrCat(state_->method, ": a unary call has exactly one request message")), true);
    return false;
  }
  if (message.payload_id != 0 && !HasRequestPayload(method_.payload)) {
    End(absl::InvalidArgumentError(absl::StrCat(
            state_->method, ": the method takes no payload with its request (see option pagewire.payload)")),
        true);
    return false;
  }
  request_seen_ = true;
  last_seen_ = message.last;
  request_ = std::move(message.bytes);
  awaited_payload_ = message.payload_id;
  return Complete();
}

bool ServerCall::OnHalfClose() {
  if (answered_) return false;
  last_seen_ = true;
  if (!request_seen_) {
    End(absl::InternalError(absl::StrCat(state_->method, ": a unary call without a request message")), true);
    return false;
  }
  return Complete();
}

bool ServerCall::OnPayload(absl::StatusOr<Payload> payload, const TransferReport& report) {
  if (answered_) return false;
  state_->transfers.received = report;
  if (!payload.ok()) {
    End(base::Annotate(payload.status(), state_->method), true);
    return false;
  }
  payload_ = *std::move(payload);
  awaited_payload_ = 0;
  return Complete();
}

void ServerCall::Run(const HandlerTable& table, HandlerTable::Done done) {
  running_ = true;
  table.Run(method_, state_, std::move(request_), std::move(payload_), std::move(done));
}

void ServerCall::OnHandlerReturned(absl::StatusOr<internal::RawReply> reply) {
  running_ = false;
  if (answered_) return;
  absl::Status status = reply.status();
  if (status.ok()) status = state_->metadata_error;
  if (status.ok()) status = CheckMetadataSize();
  if (status.ok()) return Answer(*std::move(reply));
  wire::v1::CallStatus body;
  WriteMetadata(state_->initial_metadata, *body.mutable_initial_metadata());
  WriteMetadata(state_->trailing_metadata, *body.mutable_trailing_metadata());
  SendStatus(status, std::move(body));
}

absl::Status ServerCall::CheckMetadataSize() {
  for (Metadata* metadata : {&state_->initial_metadata, &state_->trailing_metadata}) {
    const uint64_t bytes = wire::MetadataBytes(*metadata);
    if (bytes <= max_metadata_bytes_) continue;
    metadata->clear();
    return absl::ResourceExhaustedError(absl::StrCat(state_->method, ": the handler's metadata of ", bytes,
                                                     " bytes is larger than the limit of ", max_metadata_bytes_,
                                                     "; raise ServerBuilder::SetMaxMetadataBytes"));
  }
  return absl::OkStatus();
}

void ServerCall::Answer(internal::RawReply reply) {
  const bool has_payload = reply.payload.size() > 0;
  wire::v1::MessagePart part;
  part.set_call_id(call_id_);
  WriteMetadata(state_->initial_metadata, *part.mutable_initial_metadata());
  if (const absl::Status fits = session_.CheckFits(wire::FrameType::kMessage, part); !fits.ok()) {
    return SendStatus(base::Annotate(fits, state_->method), wire::v1::CallStatus());
  }
  session_.SendMessage(
      call_id_,
      {.head = std::move(part), .bytes = std::move(reply.message), .last = true, .with_payload = has_payload});
  if (has_payload) session_.SendPayload(call_id_, {std::move(reply.payload)});
  wire::v1::CallStatus body;
  WriteMetadata(state_->trailing_metadata, *body.mutable_trailing_metadata());
  SendStatus(absl::OkStatus(), std::move(body));
}

void ServerCall::End(const absl::Status& status, bool not_started) {
  if (answered_) return;
  state_->cancelled = true;
  session_.StopSending(call_id_);
  session_.DiscardIncoming(call_id_);
  request_ = std::string();
  payload_ = Payload();
  wire::v1::CallStatus body;  // without metadata: the handler may still be writing it
  body.set_not_started(not_started);
  SendStatus(status, std::move(body));
}

void ServerCall::Drop() {
  state_->cancelled = true;
  answered_ = true;
  loop_.CancelTimer(std::exchange(deadline_timer_, 0));
}

void ServerCall::SendStatus(const absl::Status& status, wire::v1::CallStatus body) {
  answered_ = true;
  loop_.CancelTimer(std::exchange(deadline_timer_, 0));
  body.set_call_id(call_id_);
  WriteStatus(status, body);
  session_.SendStatus(std::move(body));
}

}  // namespace pagewire::call
