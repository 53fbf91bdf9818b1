#include "call/stream_client_call.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "base/status.h"

namespace pagewire::call {

StreamClientCall::StreamClientCall(transport::Loop& loop, CallTerms terms, Events events)
    : ClientCall(loop, std::move(terms)), events_(std::move(events)), inbox_([this](transport::Unread unread) {
        if (session() != nullptr) session()->OnRead(id(), std::move(unread));
      }) {}

absl::Status StreamClientCall::CheckWrite() const {
  if (half_closed_) {
    return absl::FailedPreconditionError(absl::StrCat(method(), ": a write after the last one"));
  }
  return ended_ ? WhyEnded() : absl::OkStatus();
}

absl::Status StreamClientCall::WhyEnded() const {
  if (!end_.ok()) return base::CloneStatus(end_);
  return absl::AbortedError(
      absl::StrCat(method(), ": the server has ended the call and reads no further message; Finish gives its status"));
}

void StreamClientCall::Write(internal::RawMessage message, bool last, internal::RawStream::WriteDone done) {
  if (absl::Status status = CheckWrite(); !status.ok()) return done(std::move(status));
  half_closed_ = last;
  const uint64_t bytes = message.bytes.size();
  const uint64_t payload_bytes = message.payload.size();
  if (piecewise() && request_sent_) {
    Send({.message = std::move(message), .pieces = true});
    return outbox_.AddPieces(payload_bytes, std::move(done));
  }
  request_sent_ = true;
  Send({.message = std::move(message), .last = last});
  if (payload_bytes > 0) outbox_.Add(payload_bytes, [](absl::Status) {});
  outbox_.Add(bytes, std::move(done));
}

void StreamClientCall::WritesDone(internal::RawStream::WriteDone done) {
  if (absl::Status status = CheckWrite(); !status.ok()) return done(std::move(status));
  half_closed_ = true;
  Send({.has_message = false, .last = true});
  done(absl::OkStatus());
}

void StreamClientCall::Send(Unsent unsent) {
  if (session() == nullptr) return unsent_.push_back(std::move(unsent));
  if (unsent.pieces) return session()->SendPieces(id(), {std::move(unsent.message.payload), TakePayloadEvents()});
  wire::v1::MessagePart part;
  part.set_call_id(id());
  Push(std::move(part), std::move(unsent));
}

void StreamClientCall::Push(Head head, Unsent unsent) {
  const bool has_payload = unsent.message.payload.size() > 0;
  session()->SendMessage(id(), {.head = std::move(head),
                                .has_message = unsent.has_message,
                                .bytes = std::move(unsent.message.bytes),
                                .last = unsent.last,
                                .with_payload = has_payload});
  if (has_payload) session()->SendPayload(id(), {std::move(unsent.message.payload), TakePayloadEvents()});
  if (unsent.last) session()->EndCall(id());
}

void StreamClientCall::SendFirst(wire::v1::CallStart& start) {
  Unsent first{.has_message = false};
  if (!unsent_.empty()) {
    first = std::move(unsent_.front());
    unsent_.pop_front();
  }
  Push(std::move(start), std::move(first));
  while (!unsent_.empty()) {
    Unsent next = std::move(unsent_.front());
    unsent_.pop_front();
    Send(std::move(next));
  }
}

void StreamClientCall::AwaitInitialMetadata(absl::AnyInvocable<void(absl::Status)> done) {
  if (has_initial_metadata_ || ended_) return done(base::CloneStatus(end_));
  awaiting_initial_metadata_.push_back(std::move(done));
}

void StreamClientCall::TakeInitialMetadata() {
  has_initial_metadata_ = true;
  events_.initial_metadata(outcome().initial_metadata);
  for (auto& done : std::exchange(awaiting_initial_metadata_, {})) done(absl::OkStatus());
}

void StreamClientCall::TakeMessage(transport::IncomingMessage message) {
  if (!has_initial_metadata_) TakeInitialMetadata();  // there are none, then
  announcing_bytes_ = message.bytes.size();
  if (message.payload_id == 0) CountReceived(0);
  if (!draining_) return inbox_.OnMessage(std::move(message));
  if (message.payload_id == 0) session()->OnRead(id(), std::move(message.unread));
}

void StreamClientCall::CountReceived(uint64_t payload_bytes) {
  if (events_.received) events_.received(announcing_bytes_, payload_bytes);
}

void StreamClientCall::TakePayload(Payload payload, transport::Unread unread) {
  CountReceived(payload.size());
  if (!draining_) return inbox_.OnPayload(std::move(payload), std::move(unread));
  session()->OnRead(id(), std::move(unread));
}

void StreamClientCall::AwaitEnd(absl::AnyInvocable<void(absl::Status)> done) {
  if (ended_) return done(base::CloneStatus(end_));
  awaiting_end_.push_back(std::move(done));
  if (std::exchange(draining_, true)) return;
  inbox_.Drain();
}

void StreamClientCall::TakeEnd() {
  ended_ = true;
  end_ = base::CloneStatus(outcome().status);
  unsent_.clear();
  events_.end(outcome());
  outbox_.Fail(WhyEnded());
  cancelled() ? inbox_.Fail(base::CloneStatus(end_)) : inbox_.End(base::CloneStatus(end_));
  for (auto& done : std::exchange(awaiting_initial_metadata_, {})) done(base::CloneStatus(end_));
  for (auto& done : std::exchange(awaiting_end_, {})) done(base::CloneStatus(end_));
}

}  // namespace pagewire::call
