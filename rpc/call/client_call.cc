#include "call/client_call.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "base/string_view.h"
#include "call/wire_status.h"

namespace pagewire::call {

using transport::IncomingMessage;

ClientCall::ClientCall(transport::Loop& loop, CallTerms terms) : loop_(loop), terms_(std::move(terms)) {}

ClientCall::~ClientCall() { loop_.CancelTimer(deadline_timer_); }

void ClientCall::RequestCancel(std::shared_ptr<Cancellable> self) {
  loop_.Post([this, self = std::move(self)] { Cancel(absl::CancelledError("cancelled by the client")); });
}

void ClientCall::ArmDeadline() {
  if (terms_.deadline == absl::InfiniteFuture()) return;
  const absl::Duration left = terms_.deadline - absl::Now();
  // Not by a timer, which the answer may outrun.
  if (left <= absl::ZeroDuration()) {
    return Cancel(
        absl::DeadlineExceededError(absl::StrCat(terms_.method, ": the deadline had passed before the call began")));
  }
  deadline_timer_ = loop_.RunAfter(left, [this] {
    Cancel(absl::DeadlineExceededError(
        absl::StrCat(terms_.method, ": the deadline passed ",
                     session_ != nullptr ? "before the server answered" : "before there was a connection")));
  });
}

void ClientCall::WriteStart(wire::v1::CallStart& start) const {
  start.Clear();
  start.mutable_method()->assign(terms_.method.data(), terms_.method.size());  // its memory stays
  if (terms_.deadline != absl::InfiniteFuture()) {
    start.set_timeout_us(std::max<int64_t>(0, absl::ToInt64Microseconds(terms_.deadline - absl::Now())));
  }
  if (!terms_.metadata.empty()) WriteMetadata(terms_.metadata, *start.mutable_metadata());
}

bool ClientCall::Fits(const transport::Session& session) const {
  wire::v1::CallStart start;
  WriteStart(start);
  return session.CheckFits(wire::FrameType::kCallStart, start).ok();
}

uint64_t ClientCall::SendOn(transport::Session& session, wire::v1::CallStart& start) {
  outcome_.peer = session.shared_peer();
  WriteStart(start);
  if (absl::Status status = session.CheckFits(wire::FrameType::kCallStart, start); !status.ok()) {
    Finish(base::Annotate(status, base::ToStd(terms_.method)), /*not_started=*/true);
    return 0;
  }
  session_ = &session;
  id_ = session.OpenCall();
  if (terms_.own != nullptr) session.LimitCall(id_, terms_.own->items);
  start.set_call_id(id_);
  SendFirst(start);
  return id_;
}

void ClientCall::Cancel(absl::Status status) {
  if (finished_) return;
  cancelled_ = true;
  if (session_ != nullptr) {
    wire::v1::Cancel cancel;
    cancel.set_call_id(id_);
    cancel.set_code(static_cast<uint32_t>(status.code()));
    session_->DiscardIncoming(id_);
    session_->SendCancel(std::move(cancel));
  }
  Finish(status, session_ == nullptr);
}

void ClientCall::OnInitialMetadata(wire::v1::MessagePart&& part) {
  if (finished_) return;
  if (absl::Status status = ReadMetadataOf(part.initial_metadata(), outcome_.initial_metadata); !status.ok()) {
    return Cancel(std::move(status));
  }
  TakeInitialMetadata();
}

absl::Status ClientCall::ReadMetadataOf(const wire::MetadataList& list, Metadata& metadata) const {
  if (list.empty()) return absl::OkStatus();
  const absl::Status status = wire::ValidateReceivedMetadata(list, terms_.max_metadata_bytes);
  if (!status.ok()) return base::Annotate(status, absl::StrCat(terms_.method, ": from the server"));
  metadata = ReadMetadata(list);
  return absl::OkStatus();
}

void ClientCall::OnMessage(IncomingMessage message) {
  if (finished_) return;
  if (message.payload_id != 0 && !terms_.takes_response_payload) {
    return Cancel(absl::InternalError(absl::StrCat(
        terms_.method, ": the server sent a payload, which the method does not have (see option pagewire.payload)")));
  }
  awaits_payload_ = message.payload_id != 0;
  TakeMessage(std::move(message));
}

void ClientCall::OnPayload(absl::StatusOr<Payload> payload, const TransferReport& report, transport::Unread unread) {
  if (finished_) return;
  outcome_.transfers.Mutable().received = report;
  awaits_payload_ = false;
  if (payload.ok()) {
    if (terms_.observers != nullptr) terms_.observers->PayloadsReceived(TotalsOf(report));
    TakePayload(*std::move(payload), std::move(unread));
  } else if (payload_error_.ok()) {
    payload_error_ = std::move(payload).status();
  }
}

void ClientCall::OnItemSent(uint64_t bytes) {
  if (!finished_) TakeItemSent(bytes);
}

void ClientCall::OnSent(const TransferReport& report) {
  if (!finished_) outcome_.transfers.Mutable().sent = report;  // afterwards the application reads it
}

void ClientCall::OnReceipt(const TransferReport& report) {
  OnSent(report);
  if (terms_.observers != nullptr) terms_.observers->PayloadsSent(TotalsOf(report));
  TakeReceipt(report.payload_bytes);
}

void ClientCall::OnStatus(wire::v1::CallStatus&& status) {
  if (finished_) return;
  absl::Status outcome = ReadMetadataOf(status.trailing_metadata(), outcome_.trailing_metadata);
  if (outcome.ok() && status.initial_metadata_size() > 0) {
    outcome = ReadMetadataOf(status.initial_metadata(), outcome_.initial_metadata);
  }
  if (outcome.ok()) outcome = ReadStatus(status);
  if (outcome.ok() && !payload_error_.ok()) outcome = std::move(payload_error_);
  if (outcome.ok() && awaits_payload_) {
    outcome =
        absl::InternalError(absl::StrCat(terms_.method, ": the server ended the call with OK before its payload"));
  }
  if (outcome.ok()) outcome = CheckComplete();
  Finish(outcome, status.not_started());
}

void ClientCall::Describe(CallView& view) const {
  view.client = true;
  view.method = std::string(terms_.method);
  if (outcome_.peer != nullptr) view.peer = *outcome_.peer;
  view.deadline = terms_.deadline;
  view.began = terms_.began;
  view.attempt = terms_.attempt;
  view.phase = session_ != nullptr ? CallView::Phase::kSent : CallView::Phase::kWaitingForConnection;
}

void ClientCall::OnConnectionLost(const absl::Status& status, bool not_started) {
  if (finished_) return;
  session_ = nullptr;
  Finish(absl::UnavailableError(absl::StrCat("connection to ", *outcome_.peer, " lost: ", status.message())),
         not_started);
}

void ClientCall::Finish(const absl::Status& status, bool not_started) {
  if (finished_) return;
  finished_ = true;
  session_ = nullptr;
  loop_.CancelTimer(std::exchange(deadline_timer_, 0));
  outcome_.status = base::CloneStatus(status);  // many calls may end with one status, on many threads
  outcome_.not_started = not_started;
  place_.reset();
  terms_.lane.reset();
  TakeEnd();
}

}  // namespace pagewire::call
