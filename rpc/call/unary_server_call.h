// A call with one request, of which the handler gets all at once, and one response.
#pragma once

#include <string>

#include "call/server_call.h"

namespace pagewire::call {

class UnaryServerCall final : public ServerCall {
 public:
  UnaryServerCall(transport::Loop& loop, transport::Session& session, const Method& method,
                  std::shared_ptr<internal::ServerCallState> state, uint64_t call_id, uint64_t max_metadata_bytes)
      : ServerCall(loop, session, method, std::move(state), call_id, max_metadata_bytes) {}

 private:
  bool TakeMessage(transport::IncomingMessage message) override;
  bool TakePayload(Payload payload, transport::Unread unread) override;
  bool TakeHalfClose() override;
  void StartHandler(const HandlerTable& table, HandlerTable::Done done) override;
  void Answer(internal::RawMessage reply) override;
  void TakeEnd(const absl::Status& status) override;
  bool Complete() const { return request_seen_ && last_seen_ && !awaits_payload_; }

  std::string request_;
  Payload payload_;
  bool awaits_payload_ = false;
  bool request_seen_ = false;
  bool last_seen_ = false;  // no message follows
};

}  // namespace pagewire::call
