// How a channel gets a byte stream to its server.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <pagewire/credentials.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/name_watch.h"
#include "transport/byte_stream.h"
#include "transport/epoll_loop.h"

namespace pagewire::client {

class Connector {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::unique_ptr<transport::ByteStream>>)>;

  virtual ~Connector() = default;

  // One attempt at a time. `done` runs once, on the loop, never inside this call, unless the connector is destroyed
  // first. Errors: UNAVAILABLE, or INVALID_ARGUMENT for a target that no attempt can ever reach.
  virtual void Connect(Done done) = 0;

  // The last stream came to nothing before its server was ready: the next attempt begins at the address after, if there
  // are several.
  virtual void Avoid() = 0;

  // For messages.
  virtual const std::string& target() const = 0;
};

struct SocketConnectorOptions {
  std::shared_ptr<ChannelCredentials> credentials;
  absl::Duration timeout = absl::Seconds(20);

  // The name that the server's certificate is for, unless the credentials say; empty: the address connected to.
  std::string server_name = {};

  // Begin with any of the addresses, so that many clients do not all go to the first one.
  bool any_order = false;
};

// Connects by a socket to the first address of `names` that answers, once there are any. Lives on `loop`.
std::unique_ptr<Connector> MakeSocketConnector(transport::EpollLoop& loop, std::shared_ptr<NameWatch> names,
                                               const SocketConnectorOptions& options);

// Gets its stream from a function, which runs on the loop: for servers in the same process.
using StreamFactory = std::function<absl::StatusOr<std::unique_ptr<transport::ByteStream>>(transport::Loop& loop)>;
std::unique_ptr<Connector> MakeFactoryConnector(transport::Loop& loop, StreamFactory factory);

}  // namespace pagewire::client
