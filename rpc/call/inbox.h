// The messages that a call has received and its application has not read, and the reads that wait for one.
#pragma once

#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/raw_stream.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <deque>
#include <string>

#include "transport/session_handler.h"

namespace pagewire::call {

// Lives on its call's loop; every function is called there. What it calls may call it again.
class Inbox {
 public:
  // `taken` gives an item's credit back to the session: the application has read it.
  explicit Inbox(absl::AnyInvocable<void(transport::Unread)> taken) : taken_(std::move(taken)) {}

  // Reads are answered in order: the next message, nullopt after the last, or why there is none.
  void Read(internal::RawStream::ReadDone done);

  // The message that came first. There is one, and no read waits.
  internal::RawMessage TakeFront();

  // From the session. A message that announces a payload is readable when that has come.
  void OnMessage(transport::IncomingMessage message);
  void OnPayload(Payload payload, transport::Unread unread);

  // A payload is awaited.
  bool awaits_payload() const { return awaits_payload_; }

  // Drops what has come and was not read.
  void Drain();

  // Nothing follows what has come; `status` if that is not a good end.
  void End(absl::Status status);

  // Like End, and what has come and was not read is dropped.
  void Fail(absl::Status status);

 private:
  struct Entry {
    internal::RawMessage message;
    transport::Unread unread;
  };
  void Answer();

  absl::AnyInvocable<void(transport::Unread)> taken_;
  std::deque<Entry> entries_;
  std::string announcing_;  // the message whose payload is awaited
  bool awaits_payload_ = false;
  bool ended_ = false;
  absl::Status end_;
  std::deque<internal::RawStream::ReadDone> reads_;
};

}  // namespace pagewire::call
