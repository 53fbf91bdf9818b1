// A call with a stream of messages in one direction or both.
#pragma once

#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/raw_stream.h>

#include <absl/functional/any_invocable.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <variant>

#include "call/client_call.h"
#include "call/inbox.h"
#include "call/outbox.h"

namespace pagewire::call {

// Lives on one loop, like every ClientCall.
class StreamClientCall final : public ClientCall {
 public:
  // Who is told on the loop how the call fares. Its functions must not block.
  struct Events {
    absl::AnyInvocable<void(const Metadata&)> initial_metadata;  // before the first message is read, if there is any
    absl::AnyInvocable<void(uint64_t message_bytes, uint64_t payload_bytes)> received;  // a message; may be null
    absl::AnyInvocable<void(const CallOutcome&)> end;  // once, before Finish is answered
  };

  // `loop` outlives the call.
  StreamClientCall(transport::Loop& loop, CallTerms terms, Events events);

  // See RawClientStream.
  void Read(internal::RawStream::ReadDone done) { inbox_.Read(std::move(done)); }
  void Write(internal::RawMessage message, bool last, internal::RawStream::WriteDone done);
  void WritesDone(internal::RawStream::WriteDone done);
  void AwaitInitialMetadata(absl::AnyInvocable<void(absl::Status)> done);
  void AwaitEnd(absl::AnyInvocable<void(absl::Status)> done);

  // Any thread.
  uint64_t peer_received_bytes() const { return peer_received_bytes_.load(std::memory_order_relaxed); }

 private:
  void SendFirst(wire::v1::CallStart& start) override;
  void TakeInitialMetadata() override;
  void TakeMessage(transport::IncomingMessage message) override;
  void TakePayload(Payload payload, transport::Unread unread) override;
  void TakeItemSent(uint64_t bytes) override { outbox_.OnSent(bytes); }
  void TakeReceipt(uint64_t bytes) override { peer_received_bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  absl::Status CheckComplete() override { return absl::OkStatus(); }
  void TakeEnd() override;

  struct Unsent {
    internal::RawMessage message = {};
    bool has_message = true;
    bool last = false;
    bool pieces = false;  // the payload alone, in pieces
  };
  void Send(Unsent unsent);
  using Head = std::variant<wire::v1::CallStart, wire::v1::MessagePart>;
  void Push(Head head, Unsent unsent);
  absl::Status CheckWrite() const;
  absl::Status WhyEnded() const;

  void CountReceived(uint64_t payload_bytes);

  Events events_;
  std::atomic<uint64_t> peer_received_bytes_ = 0;
  uint64_t announcing_bytes_ = 0;  // of the message whose payload is awaited
  Inbox inbox_;
  Outbox outbox_;
  std::deque<Unsent> unsent_;  // while there is no connection
  bool request_sent_ = false;  // a piecewise method's one message
  bool half_closed_ = false;
  bool ended_ = false;
  bool draining_ = false;  // somebody awaits the end: nobody reads any more
  absl::Status end_;
  bool has_initial_metadata_ = false;
  std::deque<absl::AnyInvocable<void(absl::Status)>> awaiting_initial_metadata_;
  std::deque<absl::AnyInvocable<void(absl::Status)>> awaiting_end_;
};

}  // namespace pagewire::call
