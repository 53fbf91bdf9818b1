// The two ends of a connection at the level of calls, for tests on one ManualLoop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/string_view.h"
#include "call/client_connection.h"
#include "call/fake_handlers.h"
#include "call/server_connection.h"
#include "call/unary_client_call.h"
#include "transport/in_process_stream.h"
#include "transport/manual_loop.h"
#include "transport/raw_peer.h"
#include "transport/session_end.h"

namespace pagewire::call::testing {

using transport::InProcessOptions;
using transport::ManualLoop;
using transport::testing::RawPeer;
using transport::testing::TestOptions;

class ServerEnd {
 public:
  ServerEnd(ManualLoop& loop, std::unique_ptr<transport::ByteStream> stream, const HandlerTable& handlers,
            transport::SessionOptions options)
      : connection_(std::make_shared<ServerConnection>(loop, std::move(stream), handlers, std::move(options),
                                                       [this] { closed_ = true; })) {
    connection_->Start();
  }
  ServerConnection* operator->() { return connection_.get(); }
  bool closed() const { return closed_; }

 private:
  bool closed_ = false;
  std::shared_ptr<ServerConnection> connection_;
};

class ClientEnd final : private ClientConnection::Observer {
 public:
  ClientEnd(ManualLoop& loop, std::unique_ptr<transport::ByteStream> stream, transport::SessionOptions options)
      : loop_(loop), connection_(loop, std::move(stream), *this, std::move(options)) {
    connection_.Start();
  }
  ClientConnection* operator->() { return &connection_; }

  // A call under way, and its result once it has one.
  struct Outcome {
    std::shared_ptr<ClientCall> call;
    std::optional<UnaryResult> result;
    int results = 0;
  };
  std::shared_ptr<Outcome> Start(const Method& method, std::string message, Payload payload = Payload(),
                                 absl::Duration timeout = absl::InfiniteDuration()) {
    UnaryRequest request;
    request.terms.method = base::ToAbsl(method.name);
    request.message = std::move(message);
    request.payload = std::move(payload);
    request.terms.deadline = absl::Now() + timeout;
    request.terms.takes_response_payload = HasResponsePayload(method.payload);
    request.terms.max_metadata_bytes = 16 << 10;
    return Start(std::move(request));
  }
  std::shared_ptr<Outcome> Start(UnaryRequest request) {
    auto outcome = std::make_shared<Outcome>();
    outcome->call = std::make_shared<UnaryClientCall>(loop_, std::move(request), [outcome](UnaryResult result) {
      outcome->result = std::move(result);
      ++outcome->results;
    });
    outcome->call->ArmDeadline();
    if (!outcome->call->finished()) connection_.Send(outcome->call);
    return outcome;
  }

  bool draining() const { return draining_; }
  int idle() const { return idle_; }
  const std::optional<absl::Status>& closed() const { return closed_; }

 private:
  void OnConnectionReady() override {}
  void OnConnectionDraining(const absl::Status&) override { draining_ = true; }
  void OnConnectionIdle() override { ++idle_; }
  void OnConnectionClosed(const absl::Status& status) override { closed_ = status; }

  ManualLoop& loop_;
  bool draining_ = false;
  int idle_ = 0;
  std::optional<absl::Status> closed_;
  ClientConnection connection_;
};

// A server's connection and a client that says anything.
struct ServerAndPeer {
  ServerAndPeer(ManualLoop& loop, const HandlerTable& handlers, transport::SessionOptions options = TestOptions(false),
                InProcessOptions buffer = {}) {
    auto [server_stream, peer_stream] = transport::MakeInProcessPair(loop, loop, buffer);
    server = std::make_unique<ServerEnd>(loop, std::move(server_stream), handlers, std::move(options));
    peer = std::make_unique<RawPeer>(loop, std::move(peer_stream), true);
    peer->Greet();
  }

  // The one STATUS that has come since the last Take; a default one if there is none or are several.
  wire::v1::CallStatus TakeStatus() {
    auto statuses = peer->Take<wire::v1::CallStatus>();
    return statuses.size() == 1 ? std::move(statuses[0]) : wire::v1::CallStatus();
  }

  std::unique_ptr<ServerEnd> server;
  std::unique_ptr<RawPeer> peer;
};

// A client's connection and a server that says anything.
struct ClientAndPeer {
  explicit ClientAndPeer(ManualLoop& loop, transport::SessionOptions options = TestOptions(true),
                         InProcessOptions buffer = {}) {
    auto [client_stream, peer_stream] = transport::MakeInProcessPair(loop, loop, buffer);
    client = std::make_unique<ClientEnd>(loop, std::move(client_stream), std::move(options));
    peer = std::make_unique<RawPeer>(loop, std::move(peer_stream), false);
    peer->Greet();
  }

  std::unique_ptr<ClientEnd> client;
  std::unique_ptr<RawPeer> peer;
};

// Both ends real.
struct ClientAndServer {
  ClientAndServer(ManualLoop& loop, const HandlerTable& handlers,
                  transport::SessionOptions client_options = TestOptions(true),
                  transport::SessionOptions server_options = TestOptions(false)) {
    auto [client_stream, server_stream] = transport::MakeInProcessPair(loop, loop);
    server = std::make_unique<ServerEnd>(loop, std::move(server_stream), handlers, std::move(server_options));
    client = std::make_unique<ClientEnd>(loop, std::move(client_stream), std::move(client_options));
    loop.RunUntilIdle();
  }

  std::unique_ptr<ServerEnd> server;
  std::unique_ptr<ClientEnd> client;
};

}  // namespace pagewire::call::testing
