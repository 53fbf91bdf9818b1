// The server's end of calls with streams of messages, in the callback and the coroutine form.
#pragma once

#include <pagewire/async_message_stream.h>
#include <pagewire/internal/item_codec.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>

#include <memory>
#include <utility>

namespace pagewire {

// What the three share. Once the handler is done, or the call was cancelled, reads and writes are answered with the
// call's error, CANCELLED if it has none; handles may be kept beyond.
class AsyncServerStream {
 public:
  // Sends what ServerContext::AddInitialMetadata was given, at once instead of with the first message. Later calls and
  // calls after the first message do nothing.
  void SendInitialMetadata() const { stream_->SendInitialMetadata(); }

 protected:
  explicit AsyncServerStream(std::shared_ptr<internal::RawServerStream> stream) : stream_(std::move(stream)) {}

 private:
  std::shared_ptr<internal::RawServerStream> stream_;
};

// A call whose request is a stream.
template <typename Request>
class AsyncServerReader : public AsyncServerStream, public AsyncMessageReader<Request> {
 public:
  // For generated code.
  AsyncServerReader(std::shared_ptr<internal::RawServerStream> stream, const Method& method)
      : AsyncServerStream(stream),
        AsyncMessageReader<Request>({std::move(stream), &method, internal::Part::kRequest}) {}
};

// A call whose response is a stream. The handler's status follows what was written before it.
template <typename Response>
class AsyncServerWriter : public AsyncServerStream, public AsyncMessageWriter<Response> {
 public:
  // For generated code.
  AsyncServerWriter(std::shared_ptr<internal::RawServerStream> stream, const Method& method)
      : AsyncServerStream(stream),
        AsyncMessageWriter<Response>({std::move(stream), &method, internal::Part::kResponse}) {}
};

// A call with a stream in each direction.
template <typename Response, typename Request>
class AsyncServerReaderWriter : public AsyncServerStream,
                                public AsyncMessageReader<Request>,
                                public AsyncMessageWriter<Response> {
 public:
  // For generated code.
  AsyncServerReaderWriter(std::shared_ptr<internal::RawServerStream> stream, const Method& method)
      : AsyncServerStream(stream),
        AsyncMessageReader<Request>({stream, &method, internal::Part::kRequest}),
        AsyncMessageWriter<Response>({std::move(stream), &method, internal::Part::kResponse}) {}
};

}  // namespace pagewire
