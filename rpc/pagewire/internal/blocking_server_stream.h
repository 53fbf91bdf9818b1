// The server's ends of streams in the blocking form.
#pragma once

#include <pagewire/internal/blocking_stream.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>
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
  void SendInitialMetadata() override { stream_->SendInitialMetadata(); }

 private:
  const std::shared_ptr<RawServerStream> stream_;
  const Method& method_;
};

template <typename Response>
class BlockingServerWriter final : public BlockingWriter<ServerWriter<Response>, Response> {
 public:
  BlockingServerWriter(std::shared_ptr<RawServerStream> stream, const Method& method)
      : BlockingWriter<ServerWriter<Response>, Response>(*stream, method, Part::kResponse),
        stream_(std::move(stream)) {}
  void SendInitialMetadata() override { stream_->SendInitialMetadata(); }

 private:
  const std::shared_ptr<RawServerStream> stream_;
};

template <typename Response, typename Request>
class BlockingServerReaderWriter final : public BlockingWriter<ServerReaderWriter<Response, Request>, Response> {
 public:
  BlockingServerReaderWriter(std::shared_ptr<RawServerStream> stream, const Method& method)
      : BlockingWriter<ServerReaderWriter<Response, Request>, Response>(*stream, method, Part::kResponse),
        stream_(std::move(stream)),
        method_(method) {}
  absl::StatusOr<std::optional<Request>> Read() override {
    return ReadBlocking<Request>(*stream_, method_, Part::kRequest);
  }
  void SendInitialMetadata() override { stream_->SendInitialMetadata(); }

 private:
  const std::shared_ptr<RawServerStream> stream_;
  const Method& method_;
};

}  // namespace pagewire::internal
