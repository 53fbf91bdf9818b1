// Calls to a server in the same process, without sockets.
#pragma once

#include <pagewire/channel.h>
#include <pagewire/channel_options.h>
#include <pagewire/server.h>

#include <memory>

namespace pagewire {

// A channel to `server` through memory: the same frames, limits and errors as over a socket. It may outlive the server;
// its calls then fail with UNAVAILABLE.
std::shared_ptr<Channel> CreateInProcessChannel(Server& server, const ChannelOptions& options = ChannelOptions());

}  // namespace pagewire
