// One of a channel's lanes: at most one connection that takes new calls, and the calls that wait for it.
#pragma once

#include <pagewire/channel_options.h>

#include <absl/status/status.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "call/client_call.h"
#include "call/client_connection.h"
#include "call/directory.h"
#include "client/backoff.h"
#include "client/connectivity.h"
#include "client/connector.h"
#include "payload/budget.h"
#include "transport/loop.h"
#include "transport/path_choice.h"

namespace pagewire::client {

// What all lanes of a channel share.
struct LaneTerms {
  LaneTerms(const ChannelOptions& options, transport::Paths paths);

  const ChannelOptions options;
  const transport::Paths paths;
  const std::string session_id;
  const uint64_t owner;
  const std::shared_ptr<memory::Budget> held_budget;
  const std::shared_ptr<const call::MethodTermsTable> method_terms;
  const std::shared_ptr<call::Admission> admission;
};

// States, as gRPC names them: IDLE until a call needs a connection, CONNECTING, READY, and TRANSIENT_FAILURE until the
// next attempt is due. Lives on one loop, where every function is called that does not say otherwise. Kept by
// shared_ptr, because its connections may outlive the channel by the time it takes to close them.
class Lane final : public std::enable_shared_from_this<Lane>, public call::Inspected {
 public:
  // `id` tells the lanes to one server apart, from 0 on. Any thread.
  Lane(uint32_t id, transport::Loop& loop, std::unique_ptr<Connector> connector, std::shared_ptr<const LaneTerms> terms,
       std::shared_ptr<Connectivity> connectivity);
  ~Lane();

  // What a choice between lanes goes by, and where its calls live. Any thread.
  transport::Loop& loop() const { return loop_; }
  ConnectivityState state() const { return shown_.load(std::memory_order_relaxed); }
  uint32_t calls() const { return calls_.load(std::memory_order_relaxed); }

  // Counts a call that was given to this lane for as long as the result lives. Any thread.
  call::Place Occupy();

  // Sends the call as soon as there is a connection. When none can be made it ends with UNAVAILABLE, or waits on if
  // `wait_for_ready`.
  void Start(std::shared_ptr<call::ClientCall> call, bool wait_for_ready);

  // Connects if the channel is IDLE.
  void TryToConnect();

  // Takes no new calls but those that were given to it before; closes when all have ended.
  void Retire();

  // Ends every call with CANCELLED and closes. No call may be started afterwards. Before the last reference goes.
  void Shutdown();

  // call::Inspected: what its connections do not say.
  bool Describe(call::ConnectionView& view) const override;
  void DescribeCalls(uint64_t after, absl::Time until, size_t limit, std::vector<call::CallView>& calls) const override;

 private:
  class Connection;                                                    // one connection and its place in connections_
  enum class State { kIdle, kConnecting, kReady, kTransientFailure };  // READY before the server has answered, too
  struct Waiting {
    std::shared_ptr<call::ClientCall> call;
    bool wait_for_ready;
  };

  void Become(State state);
  void Show(ConnectivityState state);
  void BecomeIdle();  // or connect again, if calls wait
  void Connect();
  void SendWaiting(bool ready);  // those that may go now; all if the server is ready
  void OnConnected(absl::StatusOr<std::unique_ptr<transport::ByteStream>> stream);
  void OnAttemptFailed(const absl::Status& status);
  void OnReady(Connection& connection);
  void OnDraining(Connection& connection, const absl::Status& reason);
  void OnIdle(Connection& connection);
  void OnClosed(Connection& connection, const absl::Status& status);
  transport::SessionOptions SessionOptions(const std::string& peer) const;

  const uint32_t id_;
  transport::Loop& loop_;
  std::unique_ptr<Connector> connector_;
  const std::shared_ptr<const LaneTerms> terms_;
  const std::shared_ptr<Connectivity> connectivity_;
  const uint64_t shown_as_;  // in connectivity_
  std::atomic<ConnectivityState> shown_ = ConnectivityState::kIdle;
  std::atomic<uint32_t> calls_ = 0;
  Backoff backoff_;
  State state_ = State::kIdle;
  absl::Status last_failure_;
  transport::Loop::TimerId retry_timer_ = 0;
  std::vector<Waiting> waiting_;
  uint64_t last_waiting_ = call::kFirstWaitingCall;
  Connection* current_ = nullptr;  // takes new calls; one of connections_
  std::vector<std::unique_ptr<Connection>> connections_;
  bool retired_ = false;
  bool shut_down_ = false;
  std::optional<call::Listing> listing_;  // from the first attempt to connect to Shutdown
};

}  // namespace pagewire::client
