// One unary call, seen from the server: collects the request, runs the handler, sends the answer and one status.
#pragma once

#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "call/handler_table.h"
#include "call/server_call_state.h"
#include "transport/loop.h"
#include "transport/session.h"

namespace pagewire::call {

// States: receiving, running, answered. Lives on its connection's loop; every function is called there.
class ServerCall final {
 public:
  // `session` and `loop` outlive the call. `max_metadata_bytes` bounds what the handler may add.
  ServerCall(transport::Loop& loop, transport::Session& session, const Method& method,
             std::shared_ptr<internal::ServerCallState> state, uint64_t call_id, uint64_t max_metadata_bytes);
  ~ServerCall();
  ServerCall(const ServerCall&) = delete;
  ServerCall& operator=(const ServerCall&) = delete;

  // Starts the clock. `expired` is called after the deadline has ended the call.
  void ArmDeadline(absl::AnyInvocable<void()> expired);

  // The request's parts, and that no message follows. True when the request is complete and the handler may run.
  bool OnMessage(transport::IncomingMessage message);
  bool OnPayload(absl::StatusOr<Payload> payload, const TransferReport& report);
  bool OnHalfClose();

  // Runs the handler; `done` brings back what it returned, on the handler's thread.
  void Run(const HandlerTable& table, HandlerTable::Done done);

  // What the handler returned. Not sent when the call has ended meanwhile.
  void OnHandlerReturned(absl::StatusOr<internal::RawReply> reply);

  // Ends the call without the handler's answer. `not_started`: it is certain that the handler did not and will not run.
  void End(const absl::Status& status, bool not_started = false);

  // The client is gone: nobody can be told.
  void Drop();

  bool running() const { return running_; }

  // Answered, and no handler runs: the call's place is free.
  bool done() const { return answered_ && !running_; }
  const std::string& method_name() const { return state_->method; }

 private:
  bool Complete() const { return request_seen_ && last_seen_ && awaited_payload_ == 0; }
  absl::Status CheckMetadataSize();
  void Answer(internal::RawReply reply);
  void SendStatus(const absl::Status& status, wire::v1::CallStatus body);

  transport::Loop& loop_;
  transport::Session& session_;
  const Method& method_;
  const std::shared_ptr<internal::ServerCallState> state_;
  const uint64_t call_id_;
  const uint64_t max_metadata_bytes_;
  transport::Loop::TimerId deadline_timer_ = 0;
  std::string request_;
  Payload payload_;
  uint64_t awaited_payload_ = 0;
  bool request_seen_ = false;
  bool last_seen_ = false;  // no message follows
  bool running_ = false;
  bool answered_ = false;
};

}  // namespace pagewire::call
