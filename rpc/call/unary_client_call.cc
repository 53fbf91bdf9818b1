#include "call/unary_client_call.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace pagewire::call {

UnaryClientCall::UnaryClientCall(transport::Loop& loop, UnaryRequest request, Done done)
    : ClientCall(loop, std::move(request.terms)),
      message_(std::move(request.message)),
      payload_(std::move(request.payload)),
      done_(std::move(done)) {}

void UnaryClientCall::SendFirst(wire::v1::CallStart& start) {
  if (payload_.size() == 0) {
    session()->SendOnly(id(), start, message_);
  } else {
    session()->SendMessage(
        id(), {.head = std::move(start), .bytes = std::move(message_), .last = true, .with_payload = true});
    session()->SendPayload(id(), {std::move(payload_), TakePayloadEvents()});
  }
  session()->EndCall(id());
}

void UnaryClientCall::TakeMessage(transport::IncomingMessage message) {
  if (response_.has_value()) {
    return Cancel(absl::InternalError(absl::StrCat(method(), ": the server sent a second response message")));
  }
  response_ = std::move(message.bytes);
  session()->OnRead(id(), std::move(message.unread));
}

void UnaryClientCall::TakePayload(Payload payload, transport::Unread unread) {
  response_payload_ = std::move(payload);
  session()->OnRead(id(), std::move(unread));
}

absl::Status UnaryClientCall::CheckComplete() {
  if (response_.has_value()) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(method(), ": the server ended the call with OK before its response message"));
}

void UnaryClientCall::TakeEnd() {
  message_ = std::string();
  payload_ = Payload();
  UnaryResult result{std::move(outcome()), {}, {}};
  if (result.outcome.status.ok()) {
    result.message = *std::move(response_);
    result.payload = std::move(response_payload_);
  }
  response_payload_ = Payload();
  std::exchange(done_, nullptr)(std::move(result));
}

}  // namespace pagewire::call
