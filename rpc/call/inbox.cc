#include "call/inbox.h"

#include <optional>
#include <utility>

#include "base/status.h"

namespace pagewire::call {

void Inbox::Read(internal::RawStream::ReadDone done) {
  reads_.push_back(std::move(done));
  Answer();
}

void Inbox::OnMessage(transport::IncomingMessage message) {
  if (ended_) return;
  if (message.payload_id != 0) {
    announcing_ = std::move(message.bytes);
    awaits_payload_ = true;
    return;
  }
  entries_.push_back({{std::move(message.bytes), Payload()}, std::move(message.unread)});
  Answer();
}

void Inbox::OnPayload(Payload payload, transport::Unread unread) {
  if (ended_ || !awaits_payload_) return;
  awaits_payload_ = false;
  entries_.push_back({{std::move(announcing_), std::move(payload)}, std::move(unread)});
  announcing_ = std::string();
  Answer();
}

void Inbox::Drain() {
  for (Entry& entry : std::exchange(entries_, {})) taken_(std::move(entry.unread));
}

void Inbox::End(absl::Status status) {
  if (ended_) return;
  ended_ = true;
  end_ = std::move(status);
  Answer();
}

void Inbox::Fail(absl::Status status) {
  entries_.clear();
  if (!ended_ || end_.ok()) end_ = std::move(status);
  ended_ = true;
  Answer();
}

internal::RawMessage Inbox::TakeFront() {
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  taken_(std::move(entry.unread));
  return std::move(entry.message);
}

void Inbox::Answer() {
  while (!reads_.empty() && (ended_ || !entries_.empty())) {
    internal::RawStream::ReadDone done = std::move(reads_.front());
    reads_.pop_front();
    if (!entries_.empty()) {
      done(TakeFront());
    } else if (end_.ok()) {
      done(std::nullopt);
    } else {
      done(base::CloneStatus(end_));
    }
  }
}

}  // namespace pagewire::call
