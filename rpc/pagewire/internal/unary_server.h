// A typed method of a generated service, to the handler that the server calls.
#pragma once

#include <pagewire/internal/item_codec.h>
#include <pagewire/internal/message_codec.h>
#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/service_access.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>
#include <pagewire/server_context.h>

#include <absl/base/config.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pagewire::internal {

// Runs `handler`, which is user's code. What it throws goes no further: INTERNAL, with what() in the message.
template <typename Handler>
auto Guard(const Method& method, Handler&& handler) -> decltype(handler()) {
#ifdef ABSL_HAVE_EXCEPTIONS
  const absl::string_view name(method.name.data(), method.name.size());
  try {
    return std::forward<Handler>(handler)();
  } catch (const std::exception& thrown) {
    return absl::InternalError(absl::StrCat("handler of ", name, " threw: ", thrown.what()));
  } catch (...) {
    return absl::InternalError(absl::StrCat("handler of ", name, " threw something that is not a std::exception"));
  }
#else
  static_cast<void>(method);
  return std::forward<Handler>(handler)();
#endif
}

template <typename Reply, typename Request, typename Call>
absl::StatusOr<RawMessage> RunHandler(const Method& method, std::string_view bytes, Call&& call) {
  Request request;
  if (absl::Status status = Parse(method, Part::kRequest, bytes, request); !status.ok()) return status;
  return EncodeReply<Reply>(method, Guard(method, [&]() -> absl::StatusOr<Reply> { return call(request); }));
}

// `service` owns the handler, so it outlives it. `method` must be in static storage. Which of the two applies follows
// from the signature: with a request payload or without.
template <typename Service, typename Request, typename Reply>
void AddUnary(Service& service, const Method& method,
              absl::StatusOr<Reply> (Service::*function)(ServerContext&, const Request&)) {
  ServiceAccess::Add(service, method,
                     UnaryHandler([&service, &method, function](std::shared_ptr<ServerContext> context,
                                                                std::string bytes, Payload, HandlerDone done) {
                       std::move(done)(RunHandler<Reply, Request>(method, bytes, [&](const Request& request) {
                         return (service.*function)(*context, request);
                       }));
                     }));
}

template <typename Service, typename Request, typename Reply>
void AddUnary(Service& service, const Method& method,
              absl::StatusOr<Reply> (Service::*function)(ServerContext&, const Request&, Payload)) {
  ServiceAccess::Add(service, method,
                     UnaryHandler([&service, &method, function](std::shared_ptr<ServerContext> context,
                                                                std::string bytes, Payload payload, HandlerDone done) {
                       std::move(done)(RunHandler<Reply, Request>(method, bytes, [&](const Request& request) {
                         return (service.*function)(*context, request, std::move(payload));
                       }));
                     }));
}

// What a method answers that the service does not override.
inline absl::Status Unimplemented(const Method& method) {
  return absl::UnimplementedError(
      absl::StrCat(absl::string_view(method.name.data(), method.name.size()), " is not implemented by this server"));
}

}  // namespace pagewire::internal
