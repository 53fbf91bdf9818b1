// One unary call, seen from the client: from its start to its one result.
#pragma once

#include <absl/functional/any_invocable.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "call/unary_call.h"
#include "transport/loop.h"
#include "transport/session.h"
#include "wire/metadata.h"

namespace pagewire::call {

// States: waiting (no connection yet), sent, finished. Lives on one loop; every function is called there.
class ClientCall final {
 public:
  using Done = absl::AnyInvocable<void(UnaryResult)>;

  // `done` runs once, on the loop; it must not block. `loop` outlives the call.
  ClientCall(transport::Loop& loop, UnaryRequest request, Done done);
  ~ClientCall();
  ClientCall(const ClientCall&) = delete;
  ClientCall& operator=(const ClientCall&) = delete;

  const std::string& method() const { return request_.method; }
  bool finished() const { return finished_; }

  // Starts the clock: the call ends with DEADLINE_EXCEEDED when its deadline passes.
  void ArmDeadline();

  // Sends the call; `session` stays valid until OnStatus or OnConnectionLost. Returns its id, or 0 when the call has
  // ended because the server does not take its metadata.
  uint64_t SendOn(transport::Session& session);

  // Ends the call from our side: deadline, cancellation, a response we refuse. The server is told. No effect on a
  // finished call.
  void Cancel(absl::Status status);

  // From the session, for a call that was sent.
  void OnInitialMetadata(wire::v1::MessagePart&& part);
  void OnMessage(transport::IncomingMessage message);
  void OnPayload(absl::StatusOr<Payload> payload, const TransferReport& report);
  void OnSent(const TransferReport& report);
  void OnStatus(wire::v1::CallStatus&& status);
  void OnConnectionLost(const absl::Status& status);

  // Ends a call that was not sent, or will never get an answer.
  void Finish(absl::Status status, bool not_started);

 private:
  // INVALID_ARGUMENT or RESOURCE_EXHAUSTED when the server's metadata breaks the rules.
  absl::Status TakeMetadata(const wire::MetadataList& list, Metadata& metadata) const;

  transport::Loop& loop_;
  UnaryRequest request_;
  Done done_;
  UnaryResult result_;
  bool finished_ = false;
  transport::Session* session_ = nullptr;  // while sent and not finished
  uint64_t id_ = 0;
  transport::Loop::TimerId deadline_timer_ = 0;
  std::optional<std::string> message_;
  uint64_t awaited_payload_ = 0;
  absl::Status payload_error_;
};

}  // namespace pagewire::call
