// Makes channels over any connector.
#pragma once

#include <pagewire/channel.h>

#include <memory>

#include "client/connector.h"
#include "transport/epoll_loop.h"

namespace pagewire::client {

// `connector` lives on `loop`, which outlives the channel. Wrong options make each call fail.
std::shared_ptr<Channel> MakeChannel(transport::EpollLoop& loop, std::unique_ptr<Connector> connector,
                                     const ChannelOptions& options);

}  // namespace pagewire::client
