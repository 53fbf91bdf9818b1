// One call, seen from the server: from its start to its one status.
#pragma once

#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/coarse_clock.h"
#include "base/string_view.h"
#include "call/handler_table.h"
#include "call/server_call_state.h"
#include "call/views.h"
#include "transport/loop.h"
#include "transport/session.h"

namespace pagewire::call {

// What is common to all kinds of calls; the kinds say when the handler may run and what becomes of messages. States:
// receiving, running, answered. Lives on its connection's loop; every function is called there.
class ServerCall {
 public:
  virtual ~ServerCall();
  ServerCall(const ServerCall&) = delete;
  ServerCall& operator=(const ServerCall&) = delete;

  // What it occupies until it is destroyed.
  void KeepPlace(Place place) { place_ = std::move(place); }

  // Starts the clock. `expired` is called after the deadline has ended the call.
  void ArmDeadline(absl::AnyInvocable<void()> expired);

  // The handler may run although nothing but the call's start has come.
  virtual bool RunsAtOnce() const { return false; }

  // The request's parts, and that no message follows. True when the handler may run now.
  bool OnMessage(transport::IncomingMessage message);
  bool OnPayload(absl::StatusOr<Payload> payload, const TransferReport& report, transport::Unread unread);
  bool OnHalfClose();
  void OnItemSent(uint64_t bytes);
  void OnReceipt(const TransferReport& report);

  // Runs the handler; `done` brings back what it returned, on any thread.
  void Run(const HandlerTable& table, HandlerTable::Done done);

  // What the handler returned. Not sent when the call has ended meanwhile.
  void OnHandlerReturned(absl::StatusOr<internal::RawMessage> reply);

  // Ends the call without the handler's answer. `not_started`: it is certain that the handler did not and will not run.
  void End(const absl::Status& status, bool not_started = false);

  // The client is gone: nobody can be told.
  void Drop();

  bool running() const { return running_; }

  // Answered, and no handler runs: the call's place is free.
  bool done() const { return answered_ && !running_; }
  absl::string_view method_name() const { return base::ToAbsl(state_->method); }

  // Fills in what the call knows of itself.
  void Describe(CallView& view) const;
  absl::Time began() const { return began_; }

 protected:
  // `session` and `loop` outlive the call. `max_metadata_bytes` bounds what the handler may add.
  ServerCall(transport::Loop& loop, transport::Session& session, const Method& method,
             std::shared_ptr<internal::ServerCallState> state, uint64_t call_id, uint64_t max_metadata_bytes);

  transport::Loop& loop() const { return loop_; }
  transport::Session& session() const { return session_; }
  const Method& method() const { return method_; }
  const std::shared_ptr<internal::ServerCallState>& state() const { return state_; }
  uint64_t call_id() const { return call_id_; }
  bool answered() const { return answered_; }

  // The request, as far as the call takes it: called only while it has not been answered. True: see OnMessage.
  virtual bool TakeMessage(transport::IncomingMessage message) = 0;
  virtual bool TakePayload(Payload payload, transport::Unread unread) = 0;
  virtual bool TakeHalfClose() = 0;
  virtual void TakeItemSent(uint64_t) {}
  virtual void StartHandler(const HandlerTable& table, HandlerTable::Done done) = 0;

  // What the handler returned with OK, or INVALID_ARGUMENT and the like; it has not been answered.
  virtual void Answer(internal::RawMessage reply) = 0;

  // The call ended without the handler: what it still does is for nothing.
  virtual void TakeEnd(const absl::Status& status) = 0;

  // A frame's part of the answer: a message with the initial metadata if they have not been sent. An error when the
  // metadata break a limit.
  absl::StatusOr<wire::v1::MessagePart> MakePart(const Metadata& initial_metadata);
  void SendMessage(wire::v1::MessagePart&& part, internal::RawMessage&& message, bool last);

  // What the handler added that has not been sent; from Answer.
  Metadata TakeInitialMetadata() { return std::exchange(metadata_.initial, Metadata()); }

  // The last frame, with what metadata has not been sent.
  void SendFinalStatus(const absl::Status& status);

 private:
  absl::Status CheckMetadataSize(const Metadata& metadata) const;
  void SendStatus(const absl::Status& status, wire::v1::CallStatus&& body);

  transport::Loop& loop_;
  transport::Session& session_;
  const Method& method_;
  const std::shared_ptr<internal::ServerCallState> state_;
  const uint64_t call_id_;
  const uint64_t max_metadata_bytes_;
  const absl::Time began_ = base::CoarseNow();  // the session forgets the call before its handler is done
  Place place_;
  transport::Loop::TimerId deadline_timer_ = 0;
  bool running_ = false;
  bool answered_ = false;
  internal::ResponseMetadata metadata_;  // once the handler is done
};

// A call of the method's kind.
std::shared_ptr<ServerCall> MakeServerCall(transport::Loop& loop, transport::Session& session, const Method& method,
                                           std::shared_ptr<internal::ServerCallState> state, uint64_t call_id,
                                           uint64_t max_metadata_bytes);

}  // namespace pagewire::call
