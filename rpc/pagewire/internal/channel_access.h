// How generated code makes calls through a Channel. Defined in client/.
#pragma once

#include <pagewire/channel.h>
#include <pagewire/client_context.h>
#include <pagewire/internal/raw_reply.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <string>

namespace pagewire::internal {

struct ChannelAccess {
  using Done = absl::AnyInvocable<void(absl::StatusOr<RawReply>)>;

  // Channel::StartUnary and Channel::BlockingUnary. `method` must be in static storage; `request` is serialized.
  static void StartUnary(Channel& channel, const Method& method, ClientContext& context, std::string request,
                         Payload payload, Done done);
  static absl::StatusOr<RawReply> BlockingUnary(Channel& channel, const Method& method, ClientContext& context,
                                                std::string request, Payload payload);
};

}  // namespace pagewire::internal
