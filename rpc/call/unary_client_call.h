// A call with one request and one response.
#pragma once

#include <absl/functional/any_invocable.h>

#include <optional>
#include <string>

#include "call/client_call.h"

namespace pagewire::call {

struct UnaryRequest {
  CallTerms terms;
  std::string message;
  Payload payload;
};

struct UnaryResult {
  CallOutcome outcome;
  std::string message;  // with OK
  Payload payload;
};

class UnaryClientCall final : public ClientCall {
 public:
  using Done = absl::AnyInvocable<void(UnaryResult)>;

  // `done` runs once, on the loop; it must not block. `loop` outlives the call.
  UnaryClientCall(transport::Loop& loop, UnaryRequest request, Done done);

 private:
  void SendFirst(wire::v1::CallStart& start) override;
  void TakeMessage(transport::IncomingMessage message) override;
  void TakePayload(Payload payload, transport::Unread unread) override;
  absl::Status CheckComplete() override;
  void TakeEnd() override;

  std::string message_;
  Payload payload_;
  Done done_;
  std::optional<std::string> response_;
  Payload response_payload_;
};

}  // namespace pagewire::call
