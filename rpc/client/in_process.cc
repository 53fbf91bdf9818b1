#include <pagewire/in_process.h>

#include <utility>

#include "client/channel_factory.h"
#include "client/connector.h"
#include "transport/stream_source.h"

namespace pagewire {

struct internal::ServerAccess {
  static std::shared_ptr<StreamSource> Source(Server& server) { return server.in_process_source(); }
};

std::shared_ptr<Channel> CreateInProcessChannel(Server& server, const ChannelOptions& options) {
  auto connect = [source = internal::ServerAccess::Source(server)](transport::Loop& on) { return source->Connect(on); };
  client::ChannelParts parts;
  parts.connect = [connect](transport::EpollLoop& loop) { return client::MakeFactoryConnector(loop, connect); };
  parts.security.confidential = true;
  return client::MakeChannel(parts, options);
}

}  // namespace pagewire
