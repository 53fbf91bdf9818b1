// Typed streaming methods of a generated stub, to the call that its channel makes.
#pragma once

#include <pagewire/channel.h>
#include <pagewire/client_context.h>
#include <pagewire/client_stream.h>
#include <pagewire/internal/blocking_stream.h>
#include <pagewire/internal/channel_access.h>
#include <pagewire/internal/unary_client.h>
#include <pagewire/piece_stream.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <utility>

namespace pagewire::internal {

// What the three blocking clients share.
class BlockingClientCall {
 public:
  BlockingClientCall(std::unique_ptr<RawClientStream> stream, const Method& method)
      : stream_(std::move(stream)), method_(method) {}

  RawClientStream& stream() { return *stream_; }
  const Method& method() const { return method_; }

  // A message that does not parse ends the call.
  template <typename Item>
  absl::StatusOr<std::optional<Item>> Read() {
    absl::StatusOr<std::optional<Item>> item = ReadBlocking<Item>(*stream_, method_, Part::kResponse);
    if (!item.ok()) stream_->Reject();
    return item;
  }

  template <typename Item>
  absl::StatusOr<bool> ReadInto(Item& item) {
    absl::StatusOr<bool> read = ReadBlockingInto(*stream_, method_, Part::kResponse, item);
    if (!read.ok()) stream_->Reject();
    return read;
  }

  // The message before the pieces.
  template <typename Response>
  absl::StatusOr<Response> ReadMessage() {
    absl::StatusOr<Response> message = DecodeBeforePieces<Response>(method_, ReadRawBlocking(*stream_, method_));
    if (!message.ok()) stream_->Reject();
    return message;
  }

  absl::Status WaitForInitialMetadata() {
    if (absl::Status status = CheckMayBlock(method_); !status.ok()) return status;
    return BlockOn<absl::Status>(
        [&](absl::AnyInvocable<void(absl::Status)> done) { stream_->AwaitInitialMetadata(std::move(done)); });
  }

  absl::Status WritesDone() {
    if (absl::Status status = CheckMayBlock(method_); !status.ok()) return status;
    return BlockOn<absl::Status>([&](RawStream::WriteDone done) { stream_->WritesDone(std::move(done)); });
  }

  // Without waiting; does nothing when it was done before.
  void EndWrites() {
    stream_->WritesDone([](absl::Status) {});
  }

  template <typename Response>
  absl::StatusOr<Response> FinishWithResponse() {
    if (absl::Status status = CheckMayBlock(method_); !status.ok()) return status;
    using Raw = absl::StatusOr<RawMessage>;
    return DecodeReply<Response>(method_, BlockOn<Raw>([&](absl::AnyInvocable<void(Raw)> done) {
                                   stream_->FinishWithResponse(std::move(done));
                                 }));
  }

  absl::Status Finish() {
    if (absl::Status status = CheckMayBlock(method_); !status.ok()) return status;
    return BlockOn<absl::Status>(
        [&](absl::AnyInvocable<void(absl::Status)> done) { stream_->Finish(std::move(done)); });
  }

 private:
  const std::unique_ptr<RawClientStream> stream_;
  const Method& method_;
};

template <typename Response, typename Interface = ClientReader<Response>>
class BlockingClientReader : public Interface {
 public:
  BlockingClientReader(std::unique_ptr<RawClientStream> stream, const Method& method)
      : call_(std::move(stream), method) {}
  absl::StatusOr<std::optional<Response>> Read() override { return call_.Read<Response>(); }
  absl::StatusOr<bool> ReadInto(Response& item) override { return call_.ReadInto(item); }
  absl::Status WaitForInitialMetadata() override { return call_.WaitForInitialMetadata(); }
  absl::Status Finish() override { return call_.Finish(); }

 protected:
  BlockingClientCall& call() { return call_; }

 private:
  BlockingClientCall call_;
};

template <typename Request, typename Response>
class BlockingClientWriter final : public BlockingWriter<ClientWriter<Request, Response>, Request> {
 public:
  BlockingClientWriter(std::unique_ptr<RawClientStream> stream, const Method& method)
      : BlockingWriter<ClientWriter<Request, Response>, Request>(*stream, method, Part::kRequest),
        call_(std::move(stream), method) {}
  absl::Status WaitForInitialMetadata() override { return call_.WaitForInitialMetadata(); }
  absl::Status WritesDone() override { return call_.WritesDone(); }

  absl::StatusOr<Response> Finish() override { return call_.FinishWithResponse<Response>(); }

 private:
  BlockingClientCall call_;
};

template <typename Request, typename Response, typename Interface = ClientReaderWriter<Request, Response>>
class BlockingClientReaderWriter : public BlockingWriter<Interface, Request> {
 public:
  BlockingClientReaderWriter(std::unique_ptr<RawClientStream> stream, const Method& method)
      : BlockingWriter<Interface, Request>(*stream, method, Part::kRequest), call_(std::move(stream), method) {}
  absl::StatusOr<std::optional<Response>> Read() override { return call_.Read<Response>(); }
  absl::StatusOr<bool> ReadInto(Response& item) override { return call_.ReadInto(item); }
  absl::Status WaitForInitialMetadata() override { return call_.WaitForInitialMetadata(); }
  absl::Status WritesDone() override { return call_.WritesDone(); }
  absl::Status Finish() override {
    call_.EndWrites();
    return call_.Finish();
  }

 protected:
  BlockingClientCall& call() { return call_; }

 private:
  BlockingClientCall call_;
};

// Adds the message before the pieces to a reader of them.
template <typename Response, typename Base>
class BlockingClientPieces final : public Base {
 public:
  using Base::Base;
  absl::StatusOr<Response> ReadMessage() override { return this->call().template ReadMessage<Response>(); }
};
template <typename Response>
using BlockingClientPieceReader =
    BlockingClientPieces<Response, BlockingClientReader<Payload, ClientPieceReader<Response>>>;
template <typename Response>
using BlockingClientPieceReaderWriter =
    BlockingClientPieces<Response, BlockingClientReaderWriter<Payload, Payload, ClientPieceReaderWriter<Response>>>;

// A call of a streaming method. `method` must be in static storage. Never null: a call that cannot be made gives its
// status wherever it is asked.
inline std::unique_ptr<RawClientStream> StartStream(const std::shared_ptr<Channel>& channel, const Method& method,
                                                    ClientContext& context) {
  if (absl::Status status = CheckChannel(channel.get(), method); !status.ok()) {
    return ChannelAccess::BrokenStream(std::move(status));
  }
  return ChannelAccess::StartStream(*channel, method, context, std::nullopt);
}

// The same with the one request of a method whose response is a stream.
inline std::unique_ptr<RawClientStream> StartStream(const std::shared_ptr<Channel>& channel, const Method& method,
                                                    ClientContext& context,
                                                    const google::protobuf::MessageLite& request,
                                                    Payload payload = Payload()) {
  absl::StatusOr<std::string> bytes = PrepareCall(channel.get(), method, request);
  if (!bytes.ok()) return ChannelAccess::BrokenStream(std::move(bytes).status());
  return ChannelAccess::StartStream(*channel, method, context, RawMessage{*std::move(bytes), std::move(payload)});
}

}  // namespace pagewire::internal
