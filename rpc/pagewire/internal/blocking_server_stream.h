// The server's ends of streams in the blocking form.
#pragma once

#include <pagewire/internal/blocking_stream.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>
#include <pagewire/piece_stream.h>
#include <pagewire/server_stream.h>

#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <utility>

namespace pagewire::internal {

template <typename Request>
class BlockingServerReader final : public ServerReader<Request> {
 public:
  BlockingServerReader(std::shared_ptr<RawServerStream> stream, const Method& method)
      : stream_(std::move(stream)), method_(method) {}
  absl::StatusOr<std::optional<Request>> Read() override {
    return ReadBlocking<Request>(*stream_, method_, Part::kRequest);
  }
  absl::StatusOr<bool> ReadInto(Request& item) override {
    return ReadBlockingInto(*stream_, method_, Part::kRequest, item);
  }
  void SendInitialMetadata() override { stream_->SendInitialMetadata(); }

 private:
  const std::shared_ptr<RawServerStream> stream_;
  const Method& method_;
};

template <typename Response, typename Interface = ServerWriter<Response>>
class BlockingServerWriter : public BlockingWriter<Interface, Response> {
 public:
  BlockingServerWriter(std::shared_ptr<RawServerStream> stream, const Method& method)
      : BlockingWriter<Interface, Response>(*stream, method, Part::kResponse), stream_(std::move(stream)) {}
  void SendInitialMetadata() override { stream_->SendInitialMetadata(); }

 protected:
  RawServerStream& stream() { return *stream_; }

 private:
  const std::shared_ptr<RawServerStream> stream_;
};

template <typename Response, typename Request, typename Interface = ServerReaderWriter<Response, Request>>
class BlockingServerReaderWriter : public BlockingServerWriter<Response, Interface> {
 public:
  BlockingServerReaderWriter(std::shared_ptr<RawServerStream> stream, const Method& method)
      : BlockingServerWriter<Response, Interface>(std::move(stream), method), method_(method) {}
  absl::StatusOr<std::optional<Request>> Read() override {
    return ReadBlocking<Request>(this->stream(), method_, Part::kRequest);
  }
  absl::StatusOr<bool> ReadInto(Request& item) override {
    return ReadBlockingInto(this->stream(), method_, Part::kRequest, item);
  }

 private:
  const Method& method_;
};

// Adds the message before the pieces to a writer of them.
template <typename Response, typename Base>
class BlockingServerPieces final : public Base {
 public:
  BlockingServerPieces(std::shared_ptr<RawServerStream> stream, const Method& method)
      : Base(std::move(stream), method), method_(method) {}
  absl::Status WriteMessage(const Response& message) override {
    return WriteBlocking(this->stream(), method_, Part::kResponse, message, Payload());
  }

 private:
  const Method& method_;
};
template <typename Response>
using BlockingServerPieceWriter =
    BlockingServerPieces<Response, BlockingServerWriter<Payload, ServerPieceWriter<Response>>>;
template <typename Response>
using BlockingServerPieceReaderWriter =
    BlockingServerPieces<Response, BlockingServerReaderWriter<Payload, Payload, ServerPieceReaderWriter<Response>>>;

}  // namespace pagewire::internal
