// Streams of messages that do not block, at either end of a call: in the callback form and, in coroutines, to be
// awaited.
#pragma once

#include <pagewire/awaitable.h>
#include <pagewire/internal/async_ops.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>
#include <pagewire/with_payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace pagewire {

// Handles: copies are the same stream. Every operation comes in two forms: with `done`, which runs once, on
// DefaultExecutor() or, with ChannelOptions::inline_completions and in services of RegisterInlineService, on a loop,
// never inside the call; and without, to be awaited, which starts with co_await. Thread-safe.
// Reads are answered in the order in which they were started, and so are writes; further ones may be started before.

// What reads messages. Item is the message's type, or WithPayload of it where the method has payloads in this
// direction.
template <typename Item>
class AsyncMessageReader {
 public:
  // The next message, with its payload. nullopt after the last one; the call's status when it has failed.
  using ReadResult = absl::StatusOr<std::optional<Item>>;
  void Read(absl::AnyInvocable<void(ReadResult)> done) const { internal::ReadAsync<Item>(end_, std::move(done)); }
#ifdef __cpp_impl_coroutine
  Awaitable<ReadResult> Read() const {
    return Awaitable<ReadResult>(
        [end = end_](absl::AnyInvocable<void(ReadResult)> done) { internal::ReadAsync<Item>(end, std::move(done)); });
  }
#endif

 protected:
  explicit AsyncMessageReader(internal::StreamEnd end) : end_(std::move(end)) {}

 private:
  internal::StreamEnd end_;
};

// What writes messages.
template <typename Item>
class AsyncMessageWriter {
 public:
  // OK once so little is in line that the next message is welcome; a writer that starts the next write then is stopped
  // by a reader that does not read. That OK was said does not mean that the message arrived. Otherwise why it cannot be
  // sent: the call's status if it has ended with an error, at a client ABORTED when the server has ended it with OK,
  // FAILED_PRECONDITION after WritesDone, and what a unary call says of messages that cannot be serialized. `message`
  // must live until the call returns.
  void Write(const Item& message, absl::AnyInvocable<void(absl::Status)> done) const {
    internal::PrepareWrite(end_, message, Payload())(std::move(done));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<absl::Status> Write(const Item& message) const {
    return Awaitable<absl::Status>(internal::PrepareWrite(end_, message, Payload()));
  }
#endif

 protected:
  explicit AsyncMessageWriter(internal::StreamEnd end) : end_(std::move(end)) {}

 private:
  internal::StreamEnd end_;
};

// The same with a payload beside each message, empty if there is none.
template <typename Message>
class AsyncMessageWriter<WithPayload<Message>> {
 public:
  void Write(const Message& message, Payload payload, absl::AnyInvocable<void(absl::Status)> done) const {
    internal::PrepareWrite(end_, message, std::move(payload))(std::move(done));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<absl::Status> Write(const Message& message, Payload payload = Payload()) const {
    return Awaitable<absl::Status>(internal::PrepareWrite(end_, message, std::move(payload)));
  }
#endif

 protected:
  explicit AsyncMessageWriter(internal::StreamEnd end) : end_(std::move(end)) {}

 private:
  internal::StreamEnd end_;
};

// For the pieces of a payload; see MessageWriter<Payload>.
template <>
class AsyncMessageWriter<Payload> {
 public:
  void Write(Payload piece, absl::AnyInvocable<void(absl::Status)> done) const {
    internal::PrepareWrite(end_, internal::RawMessage{std::string(), std::move(piece)})(std::move(done));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<absl::Status> Write(Payload piece) const {
    return Awaitable<absl::Status>(internal::PrepareWrite(end_, internal::RawMessage{std::string(), std::move(piece)}));
  }
#endif
  uint64_t peer_received_bytes() const { return end_.stream->PeerReceivedBytes(); }

 protected:
  explicit AsyncMessageWriter(internal::StreamEnd end) : end_(std::move(end)) {}

 private:
  internal::StreamEnd end_;
};

}  // namespace pagewire
