// One method of a service as the server calls it.
#pragma once

#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <memory>

namespace pagewire {

class ServerContext;

namespace internal {

// What a handler ends with, once, on any thread: the response, or an empty message where responses are a stream.
using HandlerDone = absl::AnyInvocable<void(absl::StatusOr<RawMessage>)>;

// Runs the user's method, which ends before this returns or later. Never throws and may run on several threads at once.
// `request` is empty where requests are a stream, `stream` null where neither direction is one.
using Handler = absl::AnyInvocable<void(std::shared_ptr<ServerContext> context, RawMessage request,
                                        std::shared_ptr<RawServerStream> stream, HandlerDone done) const>;

struct RegisteredMethod {
  const Method* method;  // in static storage
  Handler handler;
};

}  // namespace internal
}  // namespace pagewire
