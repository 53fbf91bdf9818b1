#include "call/unary_server_call.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace pagewire::call {

bool UnaryServerCall::TakeMessage(transport::IncomingMessage message) {
  if (request_seen_) {
    End(absl::InternalError(absl::StrCat(method_name(), ": a unary call has exactly one request message")), true);
    return false;
  }
  request_seen_ = true;
  last_seen_ = message.last;
  request_ = std::move(message.bytes);
  awaits_payload_ = message.payload_id != 0;
  session().OnRead(call_id(), std::move(message.unread));
  return Complete();
}

bool UnaryServerCall::TakeHalfClose() {
  last_seen_ = true;
  if (!request_seen_) {
    End(absl::InternalError(absl::StrCat(method_name(), ": a unary call without a request message")), true);
    return false;
  }
  return Complete();
}

bool UnaryServerCall::TakePayload(Payload payload, transport::Unread unread) {
  payload_ = std::move(payload);
  awaits_payload_ = false;
  session().OnRead(call_id(), std::move(unread));
  return Complete();
}

void UnaryServerCall::StartHandler(const HandlerTable& table, HandlerTable::Done done) {
  table.Run(method(), state(), {std::move(request_), std::move(payload_)}, nullptr, std::move(done));
}

void UnaryServerCall::Answer(internal::RawMessage reply) {
  absl::StatusOr<wire::v1::MessagePart> part = MakePart(TakeInitialMetadata());
  if (!part.ok()) return SendFinalStatus(part.status());
  SendMessage(*std::move(part), std::move(reply), /*last=*/true);
  SendFinalStatus(absl::OkStatus());
}

void UnaryServerCall::TakeEnd(const absl::Status&) {
  request_ = std::string();
  payload_ = Payload();
}

}  // namespace pagewire::call
