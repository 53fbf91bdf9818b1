// The client's end of calls with streams of messages, in the callback and the coroutine form.
#pragma once

#include <pagewire/async_message_stream.h>
#include <pagewire/awaitable.h>
#include <pagewire/internal/async_ops.h>
#include <pagewire/internal/item_codec.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <utility>

namespace pagewire {

// What the three share. When the last handle of a call is gone the call is cancelled, unless it has ended or a Finish
// is pending; what is pending is answered. The context must live until the call has ended.
class AsyncClientStream {
 public:
  // Answered when the server's initial metadata can be read from the context: they come with the first message at the
  // latest. OK then and after a good end; the call's status if it failed before.
  void WaitForInitialMetadata(absl::AnyInvocable<void(absl::Status)> done) const {
    stream_->AwaitInitialMetadata(internal::Completion<absl::Status>(stream_->complete_on(), std::move(done)));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<absl::Status> WaitForInitialMetadata() const {
    return Awaitable<absl::Status>(
        [self = *this](absl::AnyInvocable<void(absl::Status)> done) { self.WaitForInitialMetadata(std::move(done)); });
  }
#endif

 protected:
  explicit AsyncClientStream(std::shared_ptr<internal::RawClientStream> stream) : stream_(std::move(stream)) {}

  internal::RawClientStream& stream() const { return *stream_; }

  // The call lives on until it has answered.
  template <typename Value>
  absl::AnyInvocable<void(Value)> Keep(absl::AnyInvocable<void(Value)> done) const {
    return [stream = stream_, done = internal::Completion<Value>(stream_->complete_on(), std::move(done))](
               Value value) mutable { done(std::move(value)); };
  }

 private:
  std::shared_ptr<internal::RawClientStream> stream_;
};

// A call whose response is a stream.
template <typename Response>
class AsyncClientReader : public AsyncClientStream, public AsyncMessageReader<Response> {
 public:
  // For generated code.
  AsyncClientReader(std::shared_ptr<internal::RawClientStream> stream, const Method& method)
      : AsyncClientStream(stream),
        AsyncMessageReader<Response>({std::move(stream), &method, internal::Part::kResponse}) {}

  // Answered when the call has ended, with its status; what was not read is dropped.
  void Finish(absl::AnyInvocable<void(absl::Status)> done) const {
    stream().Finish(Keep<absl::Status>(std::move(done)));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<absl::Status> Finish() const {
    return Awaitable<absl::Status>(
        [self = *this](absl::AnyInvocable<void(absl::Status)> done) { self.Finish(std::move(done)); });
  }
#endif
};

// What those share whose request is a stream.
template <typename Request>
class AsyncClientWriting : public AsyncClientStream, public AsyncMessageWriter<Request> {
 public:
  // No further message follows. The errors are Write's.
  void WritesDone(absl::AnyInvocable<void(absl::Status)> done) const {
    stream().WritesDone(internal::Completion<absl::Status>(stream().complete_on(), std::move(done)));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<absl::Status> WritesDone() const {
    return Awaitable<absl::Status>(
        [self = *this](absl::AnyInvocable<void(absl::Status)> done) { self.WritesDone(std::move(done)); });
  }
#endif

 protected:
  AsyncClientWriting(std::shared_ptr<internal::RawClientStream> stream, const Method& method)
      : AsyncClientStream(stream),
        AsyncMessageWriter<Request>({std::move(stream), &method, internal::Part::kRequest}) {}
};

// A call whose request is a stream.
template <typename Request, typename Response>
class AsyncClientWriter : public AsyncClientWriting<Request> {
 public:
  // For generated code.
  AsyncClientWriter(std::shared_ptr<internal::RawClientStream> stream, const Method& method)
      : AsyncClientWriting<Request>(std::move(stream), method), method_(&method) {}

  // WritesDone, unless that was said. Answered when the call has ended: the response, or the call's status.
  using FinishResult = absl::StatusOr<Response>;
  void Finish(absl::AnyInvocable<void(FinishResult)> done) const {
    this->stream().FinishWithResponse(this->template Keep<absl::StatusOr<internal::RawMessage>>(
        [method = method_, done = std::move(done)](absl::StatusOr<internal::RawMessage> raw) mutable {
          if (done) done(internal::DecodeReply<Response>(*method, std::move(raw)));
        }));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<FinishResult> Finish() const {
    return Awaitable<FinishResult>(
        [self = *this](absl::AnyInvocable<void(FinishResult)> done) { self.Finish(std::move(done)); });
  }
#endif

 private:
  const Method* method_;
};

// A call with a stream in each direction.
template <typename Request, typename Response>
class AsyncClientReaderWriter : public AsyncClientWriting<Request>, public AsyncMessageReader<Response> {
 public:
  // For generated code.
  AsyncClientReaderWriter(std::shared_ptr<internal::RawClientStream> stream, const Method& method)
      : AsyncClientWriting<Request>(stream, method),
        AsyncMessageReader<Response>({std::move(stream), &method, internal::Part::kResponse}) {}

  // WritesDone, unless that was said. Answered when the call has ended, with its status; what was not read is dropped.
  void Finish(absl::AnyInvocable<void(absl::Status)> done) const {
    this->stream().WritesDone([](absl::Status) {});
    this->stream().Finish(this->template Keep<absl::Status>(std::move(done)));
  }
#ifdef __cpp_impl_coroutine
  Awaitable<absl::Status> Finish() const {
    return Awaitable<absl::Status>(
        [self = *this](absl::AnyInvocable<void(absl::Status)> done) { self.Finish(std::move(done)); });
  }
#endif
};

}  // namespace pagewire
