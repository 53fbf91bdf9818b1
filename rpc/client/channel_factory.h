// Makes channels over any connector.
#pragma once

#include <pagewire/channel.h>

#include <functional>
#include <memory>
#include <string>

#include "client/call_authentication.h"
#include "client/connector.h"
#include "client/name_watch.h"
#include "transport/epoll_loop.h"

namespace pagewire::client {

// Makes a connector that lives on the loop.
using ConnectorFactory = std::function<std::unique_ptr<Connector>(transport::EpollLoop&)>;

struct ChannelParts {
  // For the lanes of pick_first.
  ConnectorFactory connect;

  // What may be balanced over; null: `connect` is all there is.
  std::shared_ptr<NameWatch> names = nullptr;
  std::function<std::unique_ptr<Connector>(transport::EpollLoop&, const std::string& address)> connect_to = nullptr;

  ChannelSecurity security = {};
};

// Each lane gets a loop of LoopPool::Default() and a connector. Wrong options make each call fail.
std::shared_ptr<Channel> MakeChannel(const ChannelParts& parts, const ChannelOptions& options);

}  // namespace pagewire::client
