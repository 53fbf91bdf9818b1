#include "client/connector.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "transport/address.h"
#include "transport/credentials.h"
#include "transport/session_offer.h"
#include "transport/socket_connector.h"
#include "transport/socket_stream.h"
#include "transport/tls_stream.h"

namespace pagewire::client {
namespace {

using transport::SocketAddress;

class NameConnector final : public Connector {
 public:
  NameConnector(transport::EpollLoop& loop, std::shared_ptr<NameWatch> names, const SocketConnectorOptions& options)
      : loop_(loop),
        names_(std::move(names)),
        options_(options),
        alive_(std::make_shared<NameConnector*>(this)),
        subscription_(names_->Subscribe([&loop, alive = std::weak_ptr<NameConnector*>(alive_)] {
          loop.Post([alive] {
            if (const auto self = alive.lock()) (*self)->OnAnswer();
          });
        })) {}

  ~NameConnector() override { names_->Unsubscribe(subscription_); }

  void Connect(Done done) override {
    done_ = std::move(done);
    names_->Start();
    loop_.Post([alive = std::weak_ptr<NameConnector*>(alive_)] {
      if (const auto self = alive.lock()) (*self)->OnAnswer();
    });
  }

  void Avoid() override { avoid_ = std::exchange(last_, std::nullopt); }

  const std::string& target() const override { return names_->target(); }

 private:
  // There may be one.
  void OnAnswer() {
    if (done_ == nullptr || attempt_.has_value()) return;
    const NameWatch::Answer answer = names_->Get();
    if (answer.resolution == nullptr) {
      if (answer.error.ok()) return;
      if (answer.error.code() != absl::StatusCode::kInvalidArgument) names_->Refresh();
      return std::exchange(done_, nullptr)(answer.error);
    }
    absl::StatusOr<std::vector<SocketAddress>> addresses = Read(*answer.resolution);
    if (!addresses.ok()) return std::exchange(done_, nullptr)(std::move(addresses).status());
    transport::ConnectOptions options;
    options.tcp = transport::SessionTcpOptions();
    options.timeout = options_.timeout;
    attempt_.emplace(loop_, *std::move(addresses), options,
                     [this](absl::StatusOr<transport::ConnectedSocket> socket) { OnConnected(std::move(socket)); });
  }

  absl::StatusOr<std::vector<SocketAddress>> Read(const Resolution& resolution) {
    std::vector<SocketAddress> addresses;
    for (const std::string& text : resolution.addresses) {
      absl::StatusOr<transport::Target> parsed = transport::ParseTarget(text);
      if (!parsed.ok()) return std::move(parsed).status();
      if (parsed->addresses.size() != 1) {
        return absl::InternalError(
            absl::StrCat("the resolver of ", names_->target(), " answered \"", text, "\", which is no address"));
      }
      addresses.push_back(parsed->addresses.front());
    }
    if (addresses.empty()) {
      return absl::UnavailableError(absl::StrCat("the resolver of ", names_->target(), " knows no address"));
    }
    if (options_.any_order) {
      const size_t first = std::random_device()() % addresses.size();
      std::rotate(addresses.begin(), addresses.begin() + static_cast<ptrdiff_t>(first), addresses.end());
    }
    if (!avoid_.has_value()) return addresses;
    const auto avoided = std::find_if(addresses.begin(), addresses.end(),
                                      [avoid = *std::exchange(avoid_, std::nullopt)](const SocketAddress& address) {
                                        return address.ToString() == avoid;
                                      });
    if (avoided != addresses.end()) std::rotate(addresses.begin(), avoided + 1, addresses.end());
    return addresses;
  }

  void OnConnected(absl::StatusOr<transport::ConnectedSocket> socket) {
    attempt_.reset();
    Done done = std::exchange(done_, nullptr);
    if (!socket.ok()) {
      names_->Refresh();
      return done(std::move(socket).status());
    }
    last_ = socket->peer.ToString();
    const std::string address = socket->peer.host();
    auto plain = std::make_unique<transport::SocketStream>(*std::move(socket), loop_);
    const std::shared_ptr<transport::TlsContext>& tls = internal::CredentialsAccess::Tls(*options_.credentials);
    if (tls == nullptr) return done(std::move(plain));
    std::string name = internal::CredentialsAccess::ServerName(*options_.credentials);
    if (name.empty()) name = options_.server_name.empty() ? address : options_.server_name;
    absl::StatusOr<transport::SslPtr> ssl = tls->NewConnection(name);
    if (!ssl.ok()) return done(std::move(ssl).status());
    done(std::make_unique<transport::TlsStream>(std::move(plain), loop_, *std::move(ssl), /*server=*/false, name));
  }

  transport::EpollLoop& loop_;
  const std::shared_ptr<NameWatch> names_;
  const SocketConnectorOptions options_;
  const std::shared_ptr<NameConnector*> alive_;  // expires with us; what is posted holds a weak reference
  const NameWatch::Subscription subscription_;
  Done done_;
  std::optional<transport::SocketConnector> attempt_;
  std::optional<std::string> last_;   // connected to
  std::optional<std::string> avoid_;  // as the first one
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

  void Avoid() override {}

  const std::string& target() const override { return target_; }

 private:
  transport::Loop& loop_;
  const StreamFactory factory_;
  const std::shared_ptr<FactoryConnector*> alive_;
  const std::string target_ = "in-process";
};

}  // namespace

std::unique_ptr<Connector> MakeSocketConnector(transport::EpollLoop& loop, std::shared_ptr<NameWatch> names,
                                               const SocketConnectorOptions& options) {
  return std::make_unique<NameConnector>(loop, std::move(names), options);
}

std::unique_ptr<Connector> MakeFactoryConnector(transport::Loop& loop, StreamFactory factory) {
  return std::make_unique<FactoryConnector>(loop, std::move(factory));
}

}  // namespace pagewire::client
