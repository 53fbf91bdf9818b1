// Typed streaming methods of a generated service, to the handlers that the server calls.
#pragma once

#include <pagewire/internal/blocking_stream.h>
#include <pagewire/internal/service_access.h>
#include <pagewire/internal/unary_server.h>
#include <pagewire/server_context.h>
#include <pagewire/server_stream.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <utility>

namespace pagewire::internal {

template <typename Request>
class BlockingServerReader final : public ServerReader<Request> {
 public:
  BlockingServerReader(RawServerStream& stream, const Method& method) : stream_(stream), method_(method) {}
  absl::StatusOr<std::optional<Request>> Read() override {
    return ReadBlocking<Request>(stream_, method_, Part::kRequest);
  }
  void SendInitialMetadata() override { stream_.SendInitialMetadata(); }

 private:
  RawServerStream& stream_;
  const Method& method_;
};

template <typename Response>
class BlockingServerWriter final : public BlockingWriter<ServerWriter<Response>, Response> {
 public:
  BlockingServerWriter(RawServerStream& stream, const Method& method)
      : BlockingWriter<ServerWriter<Response>, Response>(stream, method, Part::kResponse), stream_(stream) {}
  void SendInitialMetadata() override { stream_.SendInitialMetadata(); }

 private:
  RawServerStream& stream_;
};

template <typename Response, typename Request>
class BlockingServerReaderWriter final : public BlockingWriter<ServerReaderWriter<Response, Request>, Response> {
 public:
  BlockingServerReaderWriter(RawServerStream& stream, const Method& method)
      : BlockingWriter<ServerReaderWriter<Response, Request>, Response>(stream, method, Part::kResponse),
        stream_(stream),
        method_(method) {}
  absl::StatusOr<std::optional<Request>> Read() override {
    return ReadBlocking<Request>(stream_, method_, Part::kRequest);
  }
  void SendInitialMetadata() override { stream_.SendInitialMetadata(); }

 private:
  RawServerStream& stream_;
  const Method& method_;
};

// A handler's status as what the engine is told.
inline absl::StatusOr<RawMessage> EndOf(absl::Status status) {
  if (!status.ok()) return status;
  return RawMessage();
}

// Methods whose response is a stream. `call(context, request, payload, writer)` runs the user's.
template <typename Request, typename Response, typename Call>
void AddServerStreaming(Service& service, const Method& method, Call call) {
  ServiceAccess::Add(service, method,
                     StreamHandler([&method, call](std::shared_ptr<ServerContext> context,
                                                   std::shared_ptr<RawServerStream> stream, HandlerDone done) {
                       // It has come: the handler does not run before.
                       absl::StatusOr<std::optional<WithPayload<Request>>> request =
                           ReadBlocking<WithPayload<Request>>(*stream, method, Part::kRequest);
                       if (!request.ok()) return std::move(done)(request.status());
                       if (!request->has_value()) return std::move(done)(absl::InternalError("the request is missing"));
                       BlockingServerWriter<Response> writer(*stream, method);
                       std::move(done)(EndOf(Guard(method, [&]() -> absl::Status {
                         return call(*context, (*request)->message, std::move((*request)->payload), writer);
                       })));
                     }));
}

template <typename Service, typename Request, typename Response>
void AddStreaming(Service& service, const Method& method,
                  absl::Status (Service::*function)(ServerContext&, const Request&, ServerWriter<Response>&)) {
  AddServerStreaming<Request, Response>(
      service, method, [&service, function](ServerContext& context, const Request& request, Payload, auto& writer) {
        return (service.*function)(context, request, writer);
      });
}

template <typename Service, typename Request, typename Response>
void AddStreaming(Service& service, const Method& method,
                  absl::Status (Service::*function)(ServerContext&, const Request&, Payload, ServerWriter<Response>&)) {
  AddServerStreaming<Request, Response>(
      service, method,
      [&service, function](ServerContext& context, const Request& request, Payload payload, auto& writer) {
        return (service.*function)(context, request, std::move(payload), writer);
      });
}

// A method whose request is a stream.
template <typename Service, typename Request, typename Reply>
void AddStreaming(Service& service, const Method& method,
                  absl::StatusOr<Reply> (Service::*function)(ServerContext&, ServerReader<Request>&)) {
  ServiceAccess::Add(
      service, method,
      StreamHandler([&service, &method, function](std::shared_ptr<ServerContext> context,
                                                  std::shared_ptr<RawServerStream> stream, HandlerDone done) {
        BlockingServerReader<Request> reader(*stream, method);
        absl::StatusOr<RawMessage> reply = EncodeReply<Reply>(
            method, Guard(method, [&]() -> absl::StatusOr<Reply> { return (service.*function)(*context, reader); }));
        if (!reply.ok()) return std::move(done)(std::move(reply));
        // The status comes after it, whatever becomes of it.
        stream->Write(*std::move(reply), /*last=*/true, [](absl::Status) {});
        std::move(done)(RawMessage());
      }));
}

// A method with streams in both directions.
template <typename Service, typename Request, typename Response>
void AddStreaming(Service& service, const Method& method,
                  absl::Status (Service::*function)(ServerContext&, ServerReaderWriter<Response, Request>&)) {
  ServiceAccess::Add(
      service, method,
      StreamHandler([&service, &method, function](std::shared_ptr<ServerContext> context,
                                                  std::shared_ptr<RawServerStream> stream, HandlerDone done) {
        BlockingServerReaderWriter<Response, Request> both(*stream, method);
        std::move(done)(EndOf(Guard(method, [&]() -> absl::Status { return (service.*function)(*context, both); })));
      }));
}

}  // namespace pagewire::internal
