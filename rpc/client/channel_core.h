// What stands behind a channel: at most one connection that takes new calls, and the calls that wait for it.
#pragma once

#include <pagewire/channel_options.h>

#include <absl/status/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "call/client_call.h"
#include "call/client_connection.h"
#include "client/backoff.h"
#include "client/connectivity.h"
#include "client/connector.h"
#include "payload/budget.h"
#include "transport/loop.h"
#include "transport/path_choice.h"

namespace pagewire::client {

// States, as gRPC names them: IDLE until a call needs a connection, CONNECTING, READY, and TRANSIENT_FAILURE until the
// next attempt is due. Lives on one loop; apart from the constructor every function is called there. Kept by
// shared_ptr, because its connections may outlive the channel by the time it takes to close them.
class ChannelCore final : public std::enable_shared_from_this<ChannelCore> {
 public:
  ChannelCore(transport::Loop& loop, std::unique_ptr<Connector> connector, const ChannelOptions& options,
              transport::Paths paths, std::function<double()> random, std::shared_ptr<Connectivity> connectivity);
  ~ChannelCore();

  // Sends the call as soon as there is a connection. When none can be made it ends with UNAVAILABLE, or waits on if
  // `wait_for_ready`.
  void Start(std::shared_ptr<call::ClientCall> call, bool wait_for_ready);

  // Connects if the channel is IDLE.
  void TryToConnect();

  // What holds for methods that have limits of their own; any thread.
  const std::shared_ptr<const call::MethodTermsTable>& method_terms() const { return method_terms_; }

  // Ends every call with CANCELLED and closes. No call may be started afterwards.
  void Shutdown();

 private:
  class Connection;                                                    // one connection and its place in connections_
  enum class State { kIdle, kConnecting, kReady, kTransientFailure };  // READY before the server has answered, too
  struct Waiting {
    std::shared_ptr<call::ClientCall> call;
    bool wait_for_ready;
  };

  void Become(State state);
  void Connect();
  void OnConnected(absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream);
  void OnAttemptFailed(const absl::Status& status);
  void OnReady(Connection& connection);
  void OnDraining(Connection& connection);
  void OnIdle(Connection& connection);
  void OnClosed(Connection& connection, const absl::Status& status);
  transport::SessionOptions SessionOptions() const;

  transport::Loop& loop_;
  std::unique_ptr<Connector> connector_;
  const ChannelOptions options_;
  const transport::Paths paths_;
  const std::shared_ptr<memory::Budget> held_budget_;
  const std::shared_ptr<const call::MethodTermsTable> method_terms_;
  const std::shared_ptr<call::Admission> admission_;
  const std::shared_ptr<Connectivity> connectivity_;
  Backoff backoff_;
  State state_ = State::kIdle;
  absl::Status last_failure_;
  transport::Loop::TimerId retry_timer_ = 0;
  std::vector<Waiting> waiting_;
  Connection* current_ = nullptr;  // takes new calls; one of connections_
  std::vector<std::unique_ptr<Connection>> connections_;
  bool shut_down_ = false;
};

}  // namespace pagewire::client
