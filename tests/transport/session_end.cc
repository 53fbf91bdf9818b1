#include "transport/session_end.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "base/string_view.h"

namespace pagewire::transport::testing {
namespace {

std::string Describe(const absl::Status& status) {
  return absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
}

}  // namespace

SessionOptions TestOptions(bool initiator, uint64_t held_budget_bytes) {
  SessionOptions options;
  options.initiator = initiator;
  options.held_budget = std::make_shared<memory::Budget>("test", held_budget_bytes, "raise the test's budget");
  options.limits.message_option = "the test's message limit";
  options.limits.payload_option = "the test's payload limit";
  return options;
}

SessionEnd::SessionEnd(ManualLoop& loop, std::unique_ptr<ByteStream> stream, SessionOptions options)
    : session_(Session::Create(loop, std::move(stream), *this, std::move(options))) {
  session_->Start();
}

std::vector<std::string> SessionEnd::TakeEvents() { return std::exchange(events_, {}); }

void SessionEnd::SendStatus(uint64_t call_id, absl::StatusCode code, std::string_view message) {
  wire::v1::CallStatus status;
  status.set_call_id(call_id);
  status.set_code(static_cast<uint32_t>(code));
  status.set_message(std::string(message));
  session_->SendStatus(std::move(status));
}

void SessionEnd::SendMessage(uint64_t call_id, std::string message, Payload payload, bool last) {
  wire::v1::MessagePart part;
  part.set_call_id(call_id);
  const bool with_payload = payload.size() > 0;
  session_->SendMessage(
      call_id, {.head = std::move(part), .bytes = std::move(message), .last = last, .with_payload = with_payload});
  if (with_payload) session_->SendPayload(call_id, {std::move(payload)});
}

uint64_t SessionEnd::StartCall(std::string_view method, std::string message, Payload payload) {
  const uint64_t call_id = session_->OpenCall();
  wire::v1::CallStart start;
  start.set_call_id(call_id);
  start.set_method(std::string(method));
  const bool with_payload = payload.size() > 0;
  session_->SendMessage(
      call_id, {.head = std::move(start), .bytes = std::move(message), .last = true, .with_payload = with_payload});
  if (with_payload) session_->SendPayload(call_id, {std::move(payload)});
  session_->EndCall(call_id);
  return call_id;
}

void SessionEnd::OnReady() { events_.push_back("ready"); }

void SessionEnd::OnCallStart(wire::v1::CallStart&& start) {
  events_.push_back(absl::StrCat("start ", start.call_id(), " ", start.method()));
  if (on_start) on_start(start.call_id());
}

void SessionEnd::OnInitialMetadata(uint64_t call_id, wire::v1::MessagePart&&) {
  events_.push_back(absl::StrCat("metadata ", call_id));
}

void SessionEnd::OnMessage(uint64_t call_id, IncomingMessage message) {
  std::string event = absl::StrCat("message ", call_id, " ", message.bytes.size(), " bytes");
  if (message.payload_id != 0) absl::StrAppend(&event, ", payload ", message.payload_id);
  if (message.last) absl::StrAppend(&event, ", last");
  events_.push_back(std::move(event));
  messages.push_back(std::move(message.bytes));
  if (message.payload_id == 0) Deliver(call_id, std::move(message.unread));
  if (on_message) on_message(call_id);
}

void SessionEnd::OnHalfClose(uint64_t call_id) { events_.push_back(absl::StrCat("half-close ", call_id)); }

void SessionEnd::OnPayload(uint64_t call_id, absl::StatusOr<Payload> payload, const TransferReport&, Unread item) {
  Deliver(call_id, std::move(item));
  if (payload.ok()) {
    events_.push_back(absl::StrCat("payload ", call_id, " ", payload->size(), " bytes"));
    payloads.push_back(*std::move(payload));
  } else {
    events_.push_back(absl::StrCat("no payload ", call_id, " ", Describe(payload.status())));
  }
  if (on_payload) on_payload(call_id);
}

void SessionEnd::Deliver(uint64_t call_id, Unread item) {
  unread.push_back(std::move(item));
  if (reads) Read(call_id);
}

void SessionEnd::Read(uint64_t call_id) {
  session_->OnRead(call_id, std::move(unread.front()));
  unread.pop_front();
}

void SessionEnd::OnItemSent(uint64_t, uint64_t bytes) { sent_bytes += bytes; }

void SessionEnd::OnRefused(uint64_t call_id, absl::Status status) {
  events_.push_back(absl::StrCat("refused ", call_id, " ", Describe(status)));
  if (on_refused) on_refused(call_id);
}

void SessionEnd::OnSent(uint64_t call_id, const TransferReport& report) {
  events_.push_back(absl::StrCat("sent ", call_id, " ", report.payload_bytes, " bytes"));
}

void SessionEnd::OnReceipt(uint64_t call_id, const TransferReport& report) {
  last_report_ = report;
  events_.push_back(absl::StrCat("receipt ", call_id, " ", report.payload_bytes, " bytes"));
}

void SessionEnd::OnCancel(wire::v1::Cancel&& cancel) { events_.push_back(absl::StrCat("cancel ", cancel.call_id())); }

void SessionEnd::OnStatus(wire::v1::CallStatus&& status) {
  const absl::Status as_status(static_cast<absl::StatusCode>(status.code()), status.message());
  events_.push_back(absl::StrCat("status ", status.call_id(), " ", Describe(as_status)));
}

void SessionEnd::OnGoAway(const wire::v1::GoAway& go_away) {
  events_.push_back(absl::StrCat("go-away ", go_away.last_call_id(), ": ", go_away.message()));
}

std::string_view SessionEnd::HolderOf(uint64_t call_id) { return holder_ = absl::StrCat("call ", call_id); }

void SessionEnd::OnClosed(absl::Status status) {
  events_.push_back(absl::StrCat("closed ", Describe(status)));
  closed_ = std::move(status);
}

}  // namespace pagewire::transport::testing
