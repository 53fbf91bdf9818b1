// Typed methods of a generated service, in any form, to the handlers that the server calls.
#pragma once

#include <pagewire/internal/block_pool.h>
#include <pagewire/internal/handler_answer.h>
#include <pagewire/internal/handler_form.h>
#include <pagewire/internal/item_codec.h>
#include <pagewire/internal/message_codec.h>
#include <pagewire/internal/message_reserve.h>
#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/service_access.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>
#include <pagewire/server_context.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

#include <memory>
#include <type_traits>
#include <utility>

namespace pagewire::internal {

// What stays until the handler has answered.
template <typename Request>
struct KeptRequest {
  std::shared_ptr<ServerContext> context;
  Request message;
};

// Calls a method of `service` that takes one request, with its payload if the method has one there. `rest` is what
// follows: a stream, `done`.
template <typename Service, typename Function, typename Request, typename... Rest>
decltype(auto) CallWithRequest(Service& service, Function function, KeptRequest<Request>& request, Payload payload,
                               Rest&&... rest) {
  if constexpr (std::is_invocable_v<Function, Service&, ServerContext&, const Request&, Payload, Rest...>) {
    return (service.*function)(*request.context, request.message, std::move(payload), std::forward<Rest>(rest)...);
  } else {
    return (service.*function)(*request.context, request.message, std::forward<Rest>(rest)...);
  }
}

// Calls a method of an arena service, whichever payloads it has.
template <typename Service, typename Function, typename Request, typename Reply>
absl::Status CallOnArena(Service& service, Function function, ServerContext& context, const Request& request,
                         Payload payload, Reply& reply, Payload& reply_payload) {
  constexpr bool kTakes = std::is_invocable_v<Function, Service&, ServerContext&, const Request&, Payload, Reply&>;
  constexpr bool kGives = std::is_invocable_v<Function, Service&, ServerContext&, const Request&, Reply&, Payload&>;
  if constexpr (kTakes) {
    return (service.*function)(context, request, std::move(payload), reply);
  } else if constexpr (kGives) {
    return (service.*function)(context, request, reply, reply_payload);
  } else if constexpr (std::is_invocable_v<Function, Service&, ServerContext&, const Request&, Reply&>) {
    return (service.*function)(context, request, reply);
  } else {
    return (service.*function)(context, request, std::move(payload), reply, reply_payload);
  }
}

// Null when it does not parse; `done` has been told then.
template <typename Request>
std::shared_ptr<KeptRequest<Request>> ParseRequest(const Method& method, std::shared_ptr<ServerContext> context,
                                                   const RawMessage& raw, HandlerDone& done) {
  auto request = MakeShared<KeptRequest<Request>>();
  request->context = std::move(context);
  absl::Status status = Parse(method, Part::kRequest, raw.bytes, request->message);
  if (status.ok()) return request;
  done(std::move(status));
  return nullptr;
}

// A handler's status as what the engine is told.
inline absl::StatusOr<RawMessage> EndOf(absl::Status status) {
  if (!status.ok()) return status;
  return RawMessage();
}

// In what follows, `service` owns the handler, so it outlives it; `method` must be in static storage. `function` is a
// member of the service, of the form's signature. Item is what a stream carries: a message or WithPayload of it; Reply
// may be either, too.

template <typename Form, typename Request, typename Reply, typename Service, typename Function>
void AddUnary(Service& service, const Method& method, Function function) {
  ServiceAccess::Add(service, method,
                     [&service, &method, function](std::shared_ptr<ServerContext> context, RawMessage raw,
                                                   std::shared_ptr<RawServerStream>, HandlerDone done) {
                       const auto request = ParseRequest<Request>(method, std::move(context), raw, done);
                       if (request == nullptr) return;
                       using Result = absl::StatusOr<Reply>;
                       Form::template Run<Result>(
                           method,
                           [&service, function, request, payload = std::move(raw.payload)](auto&&... form) mutable {
                             return CallWithRequest(service, function, *request, std::move(payload),
                                                    std::forward<decltype(form)>(form)...);
                           },
                           Box([&method, request, done = std::move(done)](Result reply) mutable {
                             done(EncodeReply<Reply>(method, std::move(reply)));
                           }));
                     });
}

// A method of an arena service: its messages have the memory of earlier ones.
template <typename Request, typename Reply, typename Service, typename Function>
void AddUnaryOnArena(Service& service, const Method& method, Function function) {
  auto reserve = std::make_unique<MessageReserve>(Request::default_instance(), Reply::default_instance());
  ServiceAccess::Add(
      service, method,
      [&service, &method, function, reserve = std::move(reserve)](
          std::shared_ptr<ServerContext> context, RawMessage raw, std::shared_ptr<RawServerStream>, HandlerDone done) {
        ReservedMessages<Request, Reply> messages(*reserve);
        messages.CountBytes(raw.bytes.size());
        if (absl::Status status = Parse(method, Part::kRequest, raw.bytes, messages.request()); !status.ok()) {
          return done(std::move(status));
        }
        Payload payload;
        absl::Status status = Guard<absl::Status>(method, [&] {
          return CallOnArena(service, function, *context, messages.request(), std::move(raw.payload), messages.reply(),
                             payload);
        });
        if (!status.ok()) return done(std::move(status));
        absl::StatusOr<RawMessage> reply = EncodeReply(method, messages.reply(), std::move(payload));
        if (reply.ok()) messages.CountBytes(reply->bytes.size());
        done(std::move(reply));
      });
}

// One request, then `Stream`, which ends with a status.
template <typename Form, typename Request, typename Stream, typename Service, typename Function>
void AddRequestThenStream(Service& service, const Method& method, Function function) {
  ServiceAccess::Add(
      service, method,
      [&service, &method, function](std::shared_ptr<ServerContext> context, RawMessage raw,
                                    std::shared_ptr<RawServerStream> stream, HandlerDone done) {
        const auto request = ParseRequest<Request>(method, std::move(context), raw, done);
        if (request == nullptr) return;
        Form::template Run<absl::Status>(
            method,
            [&service, &method, function, request, payload = std::move(raw.payload),
             stream = std::move(stream)](auto&&... form) mutable {
              Stream end(std::move(stream), method);
              return CallWithRequest(service, function, *request, std::move(payload), end,
                                     std::forward<decltype(form)>(form)...);
            },
            [request, done = std::move(done)](absl::Status status) mutable { done(EndOf(std::move(status))); });
      });
}

template <typename Form, typename Request, typename Item, typename Service, typename Function>
void AddServerStreaming(Service& service, const Method& method, Function function) {
  AddRequestThenStream<Form, Request, typename Form::template Writer<Item>>(service, method, function);
}

template <typename Form, typename Request, typename Reply, typename Service, typename Function>
void AddPiecesOfResponse(Service& service, const Method& method, Function function) {
  AddRequestThenStream<Form, Request, typename Form::template PieceWriter<Reply>>(service, method, function);
}

template <typename Form, typename Request, typename Reply, typename Service, typename Function>
void AddPiecesOfBoth(Service& service, const Method& method, Function function) {
  AddRequestThenStream<Form, Request, typename Form::template PieceReaderWriter<Reply>>(service, method, function);
}

// The one response to a stream of requests.
template <typename Reply>
void AnswerOnStream(const Method& method, RawServerStream& stream, absl::StatusOr<Reply> result, HandlerDone& done) {
  absl::StatusOr<RawMessage> reply = EncodeReply<Reply>(method, std::move(result));
  if (!reply.ok()) return done(std::move(reply));
  // The status comes after it, whatever becomes of it.
  stream.Write(*std::move(reply), /*last=*/true, [](absl::Status) {});
  done(RawMessage());
}

template <typename Form, typename Item, typename Reply, typename Service, typename Function>
void AddClientStreaming(Service& service, const Method& method, Function function) {
  ServiceAccess::Add(service, method,
                     [&service, &method, function](std::shared_ptr<ServerContext> context, RawMessage,
                                                   std::shared_ptr<RawServerStream> stream, HandlerDone done) {
                       using Result = absl::StatusOr<Reply>;
                       Form::template Run<Result>(
                           method,
                           [&service, &method, function, context, stream](auto&&... form) {
                             typename Form::template Reader<Item> reader(stream, method);
                             return (service.*function)(*context, reader, std::forward<decltype(form)>(form)...);
                           },
                           [&method, context, stream, done = std::move(done)](Result result) mutable {
                             AnswerOnStream<Reply>(method, *stream, std::move(result), done);
                           });
                     });
}

template <typename Form, typename Request, typename Reply, typename Service, typename Function>
void AddPiecesOfRequest(Service& service, const Method& method, Function function) {
  ServiceAccess::Add(service, method,
                     [&service, &method, function](std::shared_ptr<ServerContext> context, RawMessage raw,
                                                   std::shared_ptr<RawServerStream> stream, HandlerDone done) {
                       const auto request = ParseRequest<Request>(method, std::move(context), raw, done);
                       if (request == nullptr) return;
                       using Result = absl::StatusOr<Reply>;
                       Form::template Run<Result>(
                           method,
                           [&service, &method, function, request, stream](auto&&... form) {
                             typename Form::template Reader<Payload> pieces(stream, method);
                             return (service.*function)(*request->context, request->message, pieces,
                                                        std::forward<decltype(form)>(form)...);
                           },
                           [&method, request, stream, done = std::move(done)](Result result) mutable {
                             AnswerOnStream<Reply>(method, *stream, std::move(result), done);
                           });
                     });
}

template <typename Form, typename Item, typename ReplyItem, typename Service, typename Function>
void AddBidiStreaming(Service& service, const Method& method, Function function) {
  ServiceAccess::Add(
      service, method,
      [&service, &method, function](std::shared_ptr<ServerContext> context, RawMessage,
                                    std::shared_ptr<RawServerStream> stream, HandlerDone done) {
        Form::template Run<absl::Status>(
            method,
            [&service, &method, function, context, stream = std::move(stream)](auto&&... form) mutable {
              typename Form::template ReaderWriter<ReplyItem, Item> both(std::move(stream), method);
              return (service.*function)(*context, both, std::forward<decltype(form)>(form)...);
            },
            [context, done = std::move(done)](absl::Status status) mutable { done(EndOf(std::move(status))); });
      });
}

// What a method answers that the service does not override.
inline absl::Status Unimplemented(const Method& method) {
  return absl::UnimplementedError(absl::StrCat(NameOf(method), " is not implemented by this server"));
}

}  // namespace pagewire::internal
