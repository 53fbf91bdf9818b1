// How generated code makes calls through a Channel. Defined in client/.
#pragma once

#include <pagewire/channel.h>
#include <pagewire/client_context.h>
#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>

namespace pagewire::internal {

struct ChannelAccess {
  using Done = absl::AnyInvocable<void(absl::StatusOr<RawMessage>)>;

  // Channel::StartUnary and Channel::BlockingUnary. `method` must be in static storage; `request` is serialized.
  static void StartUnary(Channel& channel, const Method& method, ClientContext& context, std::string request,
                         Payload payload, Done done);
  static absl::StatusOr<RawMessage> BlockingUnary(Channel& channel, const Method& method, ClientContext& context,
                                                  std::string request, Payload payload);

  // Channel::StartStream.
  static std::unique_ptr<RawClientStream> StartStream(Channel& channel, const Method& method, ClientContext& context,
                                                      std::optional<RawMessage> first);

  // A call that could not be made: everything is answered with `status`, on the executor.
  static std::unique_ptr<RawClientStream> BrokenStream(absl::Status status);
};

}  // namespace pagewire::internal
