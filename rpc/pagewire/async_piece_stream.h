// Payloads that are used before they are whole (see piece_stream.h), in the callback and the coroutine form. Requests
// in pieces need nothing more than AsyncClientWriter<Payload, Response> and AsyncServerReader<Payload>.
#pragma once

#include <pagewire/async_client_stream.h>
#include <pagewire/async_server_stream.h>
#include <pagewire/awaitable.h>
#include <pagewire/internal/async_ops.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <utility>

namespace pagewire {

// A call whose response is a message, then pieces; Base is what reads, or reads and writes, those.
template <typename Response, typename Base>
class AsyncClientPieces : public Base {
 public:
  // For generated code.
  AsyncClientPieces(std::shared_ptr<internal::RawClientStream> stream, const Method& method)
      : Base(std::move(stream), method), method_(&method) {}

  // Answered when the message has come. Called once, before the first Read. The call's status if it failed; INTERNAL
  // when the server sent none, or something else.
  using MessageResult = absl::StatusOr<Response>;
  void ReadMessage(absl::AnyInvocable<void(MessageResult)> done) const {
    internal::ReadMessageAsync<Response>(this->stream(), *method_, std::move(done));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<MessageResult> ReadMessage() const {
    return Awaitable<MessageResult>(
        [self = *this](absl::AnyInvocable<void(MessageResult)> done) { self.ReadMessage(std::move(done)); });
  }
#endif

 private:
  const Method* method_;
};
template <typename Response>
using AsyncClientPieceReader = AsyncClientPieces<Response, AsyncClientReader<Payload>>;
template <typename Response>
using AsyncClientPieceReaderWriter = AsyncClientPieces<Response, AsyncClientReaderWriter<Payload, Payload>>;

// A handler's end of such a call; Base is what writes, or reads and writes, the pieces.
template <typename Response, typename Base>
class AsyncServerPieces : public Base {
 public:
  // For generated code.
  AsyncServerPieces(std::shared_ptr<internal::RawServerStream> stream, const Method& method)
      : Base(stream, method), message_({std::move(stream), &method, internal::Part::kResponse}) {}

  // Sends the message: called once, before the first Write, which is FAILED_PRECONDITION otherwise. `message` must live
  // until the call returns. The errors are Write's.
  void WriteMessage(const Response& message, absl::AnyInvocable<void(absl::Status)> done) const {
    internal::PrepareWrite(message_, message, Payload())(std::move(done));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<absl::Status> WriteMessage(const Response& message) const {
    return Awaitable<absl::Status>(internal::PrepareWrite(message_, message, Payload()));
  }
#endif

 private:
  internal::StreamEnd message_;
};
template <typename Response>
using AsyncServerPieceWriter = AsyncServerPieces<Response, AsyncServerWriter<Payload>>;
template <typename Response>
using AsyncServerPieceReaderWriter = AsyncServerPieces<Response, AsyncServerReaderWriter<Payload, Payload>>;

}  // namespace pagewire
