#include "call/client_call.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "call/wire_status.h"
#include "wire/metadata.h"

namespace pagewire::call {

using transport::IncomingMessage;

ClientCall::ClientCall(transport::Loop& loop, UnaryRequest request, Done done)
    : loop_(loop), request_(std::move(request)), done_(std::move(done)) {}

ClientCall::~ClientCall() { loop_.CancelTimer(deadline_timer_); }

void ClientCall::ArmDeadline() {
  if (request_.deadline == absl::InfiniteFuture()) return;
  deadline_timer_ = loop_.RunAfter(request_.deadline - absl::Now(), [this] {
    Cancel(absl::DeadlineExceededError(
        absl::StrCat(request_.method, ": the deadline passed ",
                     session_ != nullptr ? "before the server answered" : "before there was a connection")));
  });
}

uint64_t ClientCall::SendOn(transport::Session& session) {
  result_.peer = session.peer();
  wire::v1::CallStart start;
  start.set_method(request_.method);
  if (request_.deadline != absl::InfiniteFuture()) {
    start.set_timeout_us(std::max<int64_t>(0, absl::ToInt64Microseconds(request_.deadline - absl::Now())));
  }
  WriteMetadata(request_.metadata, *start.mutable_metadata());
  if (absl::Status status = session.CheckFits(wire::FrameType::kCallStart, start); !status.ok()) {
    Finish(base::Annotate(status, request_.method), /*not_started=*/true);
    return 0;
  }
  session_ = &session;
  id_ = session.OpenCall();
  start.set_call_id(id_);
  const bool has_payload = request_.payload.size() > 0;
  session.SendMessage(
      id_, {.head = std::move(start), .bytes = std::move(request_.message), .last = true, .with_payload = has_payload});
  if (has_payload) session.SendPayload(id_, {std::move(request_.payload), std::move(request_.payload_events)});
  session.EndCall(id_);
  return id_;
}

void ClientCall::Cancel(absl::Status status) {
  if (finished_) return;
  if (session_ != nullptr) {
    wire::v1::Cancel cancel;
    cancel.set_call_id(id_);
    cancel.set_code(static_cast<uint32_t>(status.code()));
    session_->DiscardIncoming(id_);
    session_->SendCancel(std::move(cancel));
  }
  Finish(std::move(status), session_ == nullptr);
}

void ClientCall::OnInitialMetadata(wire::v1::MessagePart&& part) {
  if (finished_) return;
  absl::Status status = TakeMetadata(part.initial_metadata(), result_.initial_metadata);
  if (!status.ok()) Cancel(std::move(status));
}

absl::Status ClientCall::TakeMetadata(const wire::MetadataList& list, Metadata& metadata) const {
  const absl::Status status = wire::ValidateReceivedMetadata(list, request_.max_metadata_bytes);
  if (status.ok()) metadata = ReadMetadata(list);
  return base::Annotate(status, absl::StrCat(request_.method, ": from the server"));
}

void ClientCall::OnMessage(IncomingMessage message) {
  if (finished_) return;
  if (message_.has_value()) {
    return Cancel(absl::InternalError(absl::StrCat(request_.method, ": the server sent a second response message")));
  }
  if (message.payload_id != 0 && !request_.takes_response_payload) {
    return Cancel(absl::InternalError(absl::StrCat(
        request_.method, ": the server sent a payload, which the method does not have (see option pagewire.payload)")));
  }
  message_ = std::move(message.bytes);
  awaited_payload_ = message.payload_id;
}

void ClientCall::OnPayload(absl::StatusOr<Payload> payload, const TransferReport& report) {
  if (finished_) return;
  result_.transfers.received = report;
  awaited_payload_ = 0;
  if (payload.ok()) {
    result_.payload = *std::move(payload);
  } else {
    payload_error_ = std::move(payload).status();
  }
}

void ClientCall::OnSent(const TransferReport& report) { result_.transfers.sent = report; }

void ClientCall::OnStatus(wire::v1::CallStatus&& status) {
  if (finished_) return;
  session_ = nullptr;
  absl::Status outcome = TakeMetadata(status.trailing_metadata(), result_.trailing_metadata);
  if (outcome.ok() && status.initial_metadata_size() > 0) {
    outcome = TakeMetadata(status.initial_metadata(), result_.initial_metadata);
  }
  if (outcome.ok()) outcome = ReadStatus(status);
  if (outcome.ok()) {
    if (!payload_error_.ok()) {
      outcome = std::move(payload_error_);
    } else if (!message_.has_value() || awaited_payload_ != 0) {
      outcome = absl::InternalError(absl::StrCat(request_.method, ": the server ended the call with OK before its ",
                                                 message_.has_value() ? "payload" : "response message"));
    }
  }
  if (outcome.ok()) {
    result_.message = *std::move(message_);
  } else {
    result_.payload = Payload();
  }
  Finish(std::move(outcome), status.not_started());
}

void ClientCall::OnConnectionLost(const absl::Status& status) {
  session_ = nullptr;
  Finish(absl::UnavailableError(absl::StrCat("connection to ", result_.peer, " lost: ", status.message())), false);
}

void ClientCall::Finish(absl::Status status, bool not_started) {
  if (finished_) return;
  finished_ = true;
  session_ = nullptr;
  loop_.CancelTimer(std::exchange(deadline_timer_, 0));
  request_.message = std::string();
  request_.payload = Payload();
  if (!status.ok()) result_.payload = Payload();
  result_.status = std::move(status);
  result_.not_started = not_started;
  std::exchange(done_, nullptr)(std::move(result_));
}

}  // namespace pagewire::call
