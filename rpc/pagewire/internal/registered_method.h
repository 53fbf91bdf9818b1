// One method of a service as the server calls it.
#pragma once

#include <pagewire/internal/raw_reply.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <string_view>

namespace pagewire {

class ServerContext;

namespace internal {

// Parses `request` (needed only during the call), runs the user's method and serializes its reply. Never throws and
// may run on several threads at once. `payload` is ignored where the method has none for its request.
using UnaryHandler = absl::AnyInvocable<absl::StatusOr<RawReply>(ServerContext& context, std::string_view request,
                                                                 Payload payload) const>;

struct RegisteredMethod {
  const Method* method;  // in static storage
  UnaryHandler handler;
};

}  // namespace internal
}  // namespace pagewire
