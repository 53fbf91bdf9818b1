// Streams of messages in the blocking form, at either end of a call.
#pragma once

#include <pagewire/payload.h>
#include <pagewire/with_payload.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <optional>
#include <utility>

namespace pagewire {

// What writes messages. Item is the message's type, or WithPayload of it where the method has payloads in this
// direction; then Write takes the payload beside the message, empty if there is none.
template <typename Item>
class MessageWriter {
 public:
  virtual ~MessageWriter() = default;

  // Blocks until the message is on its way or so little is in line that the next one is welcome: a reader that does not
  // read stops its writer. Not OK when it cannot be sent: the call's status if it has ended with an error, at a
  // client ABORTED when the server has ended it with OK, FAILED_PRECONDITION after WritesDone and on the library's loop
  // threads, and what a unary call says of messages that cannot be serialized. That OK was returned does not mean that
  // the message arrived. One thread writes at a time; another may read.
  virtual absl::Status Write(const Item& message) = 0;
};

template <typename Message>
class MessageWriter<WithPayload<Message>> {
 public:
  virtual ~MessageWriter() = default;
  virtual absl::Status Write(const Message& message, Payload payload) = 0;
  absl::Status Write(const Message& message) { return Write(message, Payload()); }
};

// The same for the pieces of a payload. They may be of any size, and are cut where that is of use: what is read are the
// same bytes in the same order, in other pieces.
template <>
class MessageWriter<Payload> {
 public:
  virtual ~MessageWriter() = default;
  virtual absl::Status Write(Payload piece) = 0;

  // How many bytes of the pieces the peer has received, as far as it has said: after a server's final status all that
  // had arrived before that, at any other time maybe less than have by now. Its application need not have read them.
  // Counted in what travels as one, up to 256 KiB. Any thread.
  virtual uint64_t peer_received_bytes() const = 0;
};

// What reads them.
template <typename Item>
class MessageReader {
 public:
  virtual ~MessageReader() = default;

  // Blocks until the next message has come, with its payload. nullopt after the last one; the call's status when it has
  // failed. One thread reads at a time; another may write.
  virtual absl::StatusOr<std::optional<Item>> Read() = 0;

  // The same into `item`, which may live on an arena and keeps its memory when it is used again. False after the last
  // message; `item` is unspecified then, and after an error.
  virtual absl::StatusOr<bool> ReadInto(Item& item) {
    absl::StatusOr<std::optional<Item>> read = Read();
    if (!read.ok()) return std::move(read).status();
    if (read->has_value()) item = **std::move(read);
    return read->has_value();
  }
};

}  // namespace pagewire
