// A call with a stream of messages in either direction, as the typed forms see it.
#pragma once

#include <pagewire/internal/completion.h>
#include <pagewire/internal/raw_message.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>

namespace pagewire::internal {

// Thread-safe. Operations of one kind are answered in the order in which they were started. What they answer with runs
// once, on the connection's loop: it must not block and must not run user's code.
class RawStream {
 public:
  virtual ~RawStream() = default;

  // The next message; nullopt when no further one comes; the call's status when it has failed.
  using ReadDone = absl::AnyInvocable<void(absl::StatusOr<std::optional<RawMessage>>)>;
  virtual void Read(ReadDone done) = 0;

  // `done`: the next message may be written, or why none can be sent. `last`: no further message follows.
  using WriteDone = absl::AnyInvocable<void(absl::Status)>;
  virtual void Write(RawMessage message, bool last, WriteDone done) = 0;

  // Bytes of payloads that the peer has received whole.
  virtual uint64_t PeerReceivedBytes() const = 0;

  // What was read is no message of the method's: a client's call ends with it, a server leaves that to its handler.
  virtual void Reject() = 0;

  // Where the user is told of what these operations come to. To be set before the user has the stream.
  CompleteOn complete_on() const { return complete_on_; }
  void set_complete_on(CompleteOn where) { complete_on_ = where; }

 private:
  CompleteOn complete_on_ = CompleteOn::kExecutor;
};

// The client's end. Destroying it cancels a call that has not ended.
class RawClientStream : public RawStream {
 public:
  // The server's initial metadata can be read from the context, or the call has ended; its status then.
  virtual void AwaitInitialMetadata(absl::AnyInvocable<void(absl::Status)> done) = 0;

  // No further message follows.
  virtual void WritesDone(WriteDone done) = 0;

  // No further message follows, if that has not been said yet; then the one response, once the call has ended, or its
  // status. Where the response is no stream, instead of Read and Finish.
  virtual void FinishWithResponse(absl::AnyInvocable<void(absl::StatusOr<RawMessage>)> done) = 0;

  // The call's status, once it has ended. What was not read is dropped then.
  virtual void Finish(absl::AnyInvocable<void(absl::Status)> done) = 0;
};

// The server's end, until the handler is done.
class RawServerStream : public RawStream {
 public:
  // Sends the initial metadata that the handler has added so far; the first message does so otherwise.
  virtual void SendInitialMetadata() = 0;
};

}  // namespace pagewire::internal
