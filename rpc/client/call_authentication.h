// When call credentials are asked, and what becomes of what they say.
#pragma once

#include <absl/status/status.h>
#include <pagewire/channel_options.h>
#include <pagewire/credentials.h>
#include <pagewire/method.h>

#include <string>
#include <string_view>

namespace pagewire::internal {
class ClientCallState;
}  // namespace pagewire::internal

namespace pagewire::client {

// What all connections of a channel have in common.
struct ChannelSecurity {
  bool confidential = false;     // nobody else can read what is sent: TLS, or the same process
  std::string server_name = {};  // see CallCredentialsRequest
};

// Of a channel whose connections are made to `target` with `credentials`.
ChannelSecurity SecurityOf(std::string_view target, ChannelCredentials& credentials);

// Adds what the channel's and the call's credentials give to the call's metadata. Otherwise nothing is added, and the
// call, which has not started, must end with the status: see CallCredentials.
absl::Status Authenticate(const Method& method, const ChannelOptions& options, const ChannelSecurity& security,
                          internal::ClientCallState& state);

}  // namespace pagewire::client
