// Payloads that are used before they are whole: the ends of calls whose method says (pagewire.piecewise), in the
// blocking form. Requests in pieces need nothing more than ClientWriter<Payload, Response> and ServerReader<Payload>.
//
// A payload of any size takes the memory of the pieces that are on their way or held. It is complete when its reader
// has read nullopt and, at a client, Finish gives OK; anything else means that it ends where the last piece ended.
#pragma once

#include <pagewire/client_stream.h>
#include <pagewire/payload.h>
#include <pagewire/server_stream.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace pagewire {

// A call whose response is a message, then pieces.
template <typename Response>
class ClientPieceReader : public ClientReader<Payload> {
 public:
  // Blocks until the message has come; pieces may still be missing. Called once, before the first Read. The call's
  // status if it failed; INTERNAL when the server sent none, or something else.
  virtual absl::StatusOr<Response> ReadMessage() = 0;
};

// A call whose request and response are a message each, then pieces.
template <typename Response>
class ClientPieceReaderWriter : public ClientReaderWriter<Payload, Payload> {
 public:
  // As above. The server may send it before all pieces of the request have been written, or wait for them.
  virtual absl::StatusOr<Response> ReadMessage() = 0;
};

// A handler's end of the first.
template <typename Response>
class ServerPieceWriter : public ServerWriter<Payload> {
 public:
  // Sends the message: called once, before the first Write, which is FAILED_PRECONDITION otherwise. The errors are
  // Write's.
  virtual absl::Status WriteMessage(const Response& message) = 0;
};

// A handler's end of the second.
template <typename Response>
class ServerPieceReaderWriter : public ServerReaderWriter<Payload, Payload> {
 public:
  // As above.
  virtual absl::Status WriteMessage(const Response& message) = 0;
};

}  // namespace pagewire
