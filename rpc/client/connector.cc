#include "client/connector.h"

#include <pagewire/executor.h>

#include <optional>
#include <utility>
#include <vector>

#include "transport/address.h"
#include "transport/session_offer.h"
#include "transport/socket_connector.h"
#include "transport/socket_stream.h"

namespace pagewire::client {
namespace {

using transport::SocketAddress;

class TargetConnector final : public Connector {
 public:
  TargetConnector(transport::EpollLoop& loop, std::string_view target, absl::Duration timeout)
      : loop_(loop), target_(target), timeout_(timeout), alive_(std::make_shared<TargetConnector*>(this)) {}

  void Connect(Done done) override {
    done_ = std::move(done);
    // Looking a name up blocks, so it happens elsewhere.
    DefaultExecutor().Run([target = target_, &loop = loop_, alive = std::weak_ptr<TargetConnector*>(alive_)] {
      absl::StatusOr<transport::Target> parsed = transport::ParseTarget(target);
      absl::StatusOr<std::vector<SocketAddress>> addresses =
          parsed.ok() ? transport::Resolve(*parsed) : absl::StatusOr<std::vector<SocketAddress>>(parsed.status());
      loop.Post([alive, addresses = std::move(addresses)]() mutable {
        if (const auto self = alive.lock()) (*self)->OnResolved(std::move(addresses));
      });
    });
  }

  const std::string& target() const override { return target_; }

 private:
  void OnResolved(absl::StatusOr<std::vector<SocketAddress>> addresses) {
    if (!addresses.ok()) return std::exchange(done_, nullptr)(std::move(addresses).status());
    transport::ConnectOptions options;
    options.tcp = transport::SessionTcpOptions();
    options.timeout = timeout_;
    attempt_.emplace(loop_, *std::move(addresses), options,
                     [this](absl::StatusOr<transport::ConnectedSocket> socket) { OnConnected(std::move(socket)); });
  }

  void OnConnected(absl::StatusOr<transport::ConnectedSocket> socket) {
    attempt_.reset();
    Done done = std::exchange(done_, nullptr);
    if (!socket.ok()) return done(std::move(socket).status());
    done(std::make_unique<transport::SocketStream>(*std::move(socket), loop_));
  }

  transport::EpollLoop& loop_;
  const std::string target_;
  const absl::Duration timeout_;
  const std::shared_ptr<TargetConnector*> alive_;  // expires with us; what is posted holds a weak reference
  Done done_;
  std::optional<transport::SocketConnector> attempt_;
};

class FactoryConnector final : public Connector {
 public:
  FactoryConnector(transport::Loop& loop, StreamFactory factory)
      : loop_(loop), factory_(std::move(factory)), alive_(std::make_shared<FactoryConnector*>(this)) {}

  void Connect(Done done) override {
    loop_.Post([alive = std::weak_ptr<FactoryConnector*>(alive_), done = std::move(done)]() mutable {
      if (const auto self = alive.lock()) std::move(done)((*self)->factory_((*self)->loop_));
    });
  }

  const std::string& target() const override { return target_; }

 private:
  transport::Loop& loop_;
  const StreamFactory factory_;
  const std::shared_ptr<FactoryConnector*> alive_;
  const std::string target_ = "in-process";
};

}  // namespace

std::unique_ptr<Connector> MakeSocketConnector(transport::EpollLoop& loop, std::string_view target,
                                               absl::Duration timeout) {
  return std::make_unique<TargetConnector>(loop, target, timeout);
}

std::unique_ptr<Connector> MakeFactoryConnector(transport::Loop& loop, StreamFactory factory) {
  return std::make_unique<FactoryConnector>(loop, std::move(factory));
}

}  // namespace pagewire::client
