// The client's end of calls with streams of messages, in the blocking form.
#pragma once

#include <pagewire/message_stream.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace pagewire {

// Destroying one of these cancels the call unless it has ended. The context must outlive it.

// A call whose response is a stream.
template <typename Response>
class ClientReader : public MessageReader<Response> {
 public:
  // Blocks until the server's initial metadata can be read from the context: they come with the first message at the
  // latest. OK then and after a good end; the call's status if it failed before.
  virtual absl::Status WaitForInitialMetadata() = 0;

  // Blocks until the call has ended; what was not read is dropped. The call's status.
  virtual absl::Status Finish() = 0;
};

// A call whose request is a stream.
template <typename Request, typename Response>
class ClientWriter : public MessageWriter<Request> {
 public:
  // Blocks until the server's initial metadata can be read from the context: they come with the first message at the
  // latest. OK then and after a good end; the call's status if it failed before.
  virtual absl::Status WaitForInitialMetadata() = 0;

  // No further message follows. The errors are Write's.
  virtual absl::Status WritesDone() = 0;

  // WritesDone, unless that was called, then blocks until the call has ended: the response, or the call's status.
  virtual absl::StatusOr<Response> Finish() = 0;
};

// A call with a stream in each direction.
template <typename Request, typename Response>
class ClientReaderWriter : public MessageReader<Response>, public MessageWriter<Request> {
 public:
  // Blocks until the server's initial metadata can be read from the context: they come with the first message at the
  // latest. OK then and after a good end; the call's status if it failed before.
  virtual absl::Status WaitForInitialMetadata() = 0;

  // No further message follows. The errors are Write's.
  virtual absl::Status WritesDone() = 0;

  // WritesDone, unless that was called, then blocks until the call has ended; what was not read is dropped. The call's
  // status.
  virtual absl::Status Finish() = 0;
};

}  // namespace pagewire
