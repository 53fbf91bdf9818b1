// One method of a service as the server calls it.
#pragma once

#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace pagewire {

class ServerContext;

namespace internal {

// What a handler ends with, once, on any thread: the response, or an empty message where responses are a stream.
using HandlerDone = absl::AnyInvocable<void(absl::StatusOr<RawMessage>)>;

// Parses `request`, runs the user's method and serializes its reply, before it returns or later. Never throws and may
// run on several threads at once. `payload` is ignored where the method has none for its request.
using UnaryHandler = absl::AnyInvocable<void(std::shared_ptr<ServerContext> context, std::string request,
                                             Payload payload, HandlerDone done) const>;

// The same where the request, the response or both are a stream.
using StreamHandler = absl::AnyInvocable<void(std::shared_ptr<ServerContext> context,
                                              std::shared_ptr<RawServerStream> stream, HandlerDone done) const>;

struct RegisteredMethod {
  const Method* method;  // in static storage
  UnaryHandler unary;    // one of the two, by the method's type
  StreamHandler stream;
};

}  // namespace internal
}  // namespace pagewire
