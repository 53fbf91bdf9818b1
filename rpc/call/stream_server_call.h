// A call with a stream of messages in one direction or both.
#pragma once

#include <pagewire/internal/raw_stream.h>

#include <memory>
#include <optional>

#include "call/inbox.h"
#include "call/outbox.h"
#include "call/server_call.h"

namespace pagewire::call {

class StreamServerCall final : public ServerCall, public std::enable_shared_from_this<StreamServerCall> {
 public:
  StreamServerCall(transport::Loop& loop, transport::Session& session, const Method& method,
                   std::shared_ptr<internal::ServerCallState> state, uint64_t call_id, uint64_t max_metadata_bytes);

  // Where the client sends one message, before pieces or alone, the handler runs when that has come.
  bool RunsAtOnce() const override { return !has_request(); }

  // From the handler, by way of the loop. `initial_metadata` with the first frame of the answer.
  void Read(internal::RawStream::ReadDone done) { inbox_.Read(std::move(done)); }
  void Write(std::optional<Metadata> initial_metadata, internal::RawMessage message,
             internal::RawStream::WriteDone done);
  void SendInitialMetadata(Metadata initial_metadata);

 private:
  bool TakeMessage(transport::IncomingMessage message) override;
  bool TakePayload(Payload payload, transport::Unread unread) override;
  bool TakeHalfClose() override;
  void TakeItemSent(uint64_t bytes) override { outbox_.OnSent(bytes); }
  void StartHandler(const HandlerTable& table, HandlerTable::Done done) override;
  void Answer(internal::RawMessage reply) override;
  void TakeEnd(const absl::Status& status) override;
  bool has_request() const { return method().piecewise || !StreamsRequest(method().type); }
  bool MayRun();

  Inbox inbox_;
  Outbox outbox_;
  bool request_seen_ = false;
  bool response_sent_ = false;  // a piecewise method's one message
  bool last_seen_ = false;
};

}  // namespace pagewire::call
