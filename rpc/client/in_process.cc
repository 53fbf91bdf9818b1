#include <pagewire/in_process.h>

#include <utility>

#include "client/channel_factory.h"
#include "client/connector.h"
#include "transport/loop_pool.h"
#include "transport/stream_source.h"

namespace pagewire {

struct internal::ServerAccess {
  static std::shared_ptr<StreamSource> Source(Server& server) { return server.in_process_source(); }
};

std::shared_ptr<Channel> CreateInProcessChannel(Server& server, const ChannelOptions& options) {
  transport::EpollLoop& loop = transport::LoopPool::Default().Next();
  auto connect = [source = internal::ServerAccess::Source(server)](transport::Loop& on) { return source->Connect(on); };
  return client::MakeChannel(loop, client::MakeFactoryConnector(loop, std::move(connect)), options);
}

}  // namespace pagewire
