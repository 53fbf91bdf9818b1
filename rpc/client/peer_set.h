// The servers that a channel's target stands for, and which of them takes a call.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "client/lane_set.h"
#include "client/name_watch.h"
#include "client/service_config.h"

namespace pagewire::client {

// With pick_first there is one set of lanes, which connect to the first address that answers. The other balancers have
// a set for each address; the former then serves calls while none of those is connected. Thread-safe. Kept by
// shared_ptr, because calls may outlive the channel.
class PeerSet final : public std::enable_shared_from_this<PeerSet> {
 public:
  using MakeLanes = std::function<std::vector<std::shared_ptr<Lane>>(const std::string& address)>;

  // `first`: the lanes to the first address that answers. `names` may be null: then there is nothing to balance.
  // `config`: of the channel's options; not null. What a resolver says takes its place.
  static std::shared_ptr<PeerSet> Create(std::vector<std::shared_ptr<Lane>> first, std::shared_ptr<NameWatch> names,
                                         std::shared_ptr<const ServiceConfig> config, MakeLanes make_lanes);
  ~PeerSet();

  // What calls should be made by, now.
  std::shared_ptr<const ServiceConfig> config() const;

  // One server.
  struct Peer;

  struct Choice {
    LaneSet::Choice in;
    std::shared_ptr<Peer> peer;  // null: whichever address answers
  };
  struct Call {
    bool bulk = false;
    uint64_t bytes = 0;           // of its request
    const Peer* avoid = nullptr;  // unless there is nobody else
  };
  Choice ForCall(const Call& call);

  // Whether there may be several servers to choose from.
  bool balances() const { return balances_.load(std::memory_order_relaxed); }

  // Whether another server than `but` is connected.
  bool OthersReady(const Peer* but) const;

  void TryToConnect();

  // Ends every call. No call may be started afterwards.
  void Shutdown();

 private:
  PeerSet(std::vector<std::shared_ptr<Lane>> first, std::shared_ptr<NameWatch> names,
          std::shared_ptr<const ServiceConfig> config, MakeLanes make_lanes);

  // The resolver has said something.
  void Update();
  void SetPeers(const std::vector<std::string>& addresses) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetConfig(const std::string& json) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const LaneSet first_;
  const std::shared_ptr<NameWatch> names_;
  const MakeLanes make_lanes_;
  const bool configurable_;                            // by the resolver
  const std::shared_ptr<const ServiceConfig> config_;  // of the options
  NameWatch::Subscription subscription_ = 0;
  std::atomic<bool> balances_;
  std::atomic<uint64_t> turn_ = 0;

  mutable base::Mutex mutex_;
  std::shared_ptr<const ServiceConfig> resolved_config_ ABSL_GUARDED_BY(mutex_);
  std::string resolved_json_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Peer>> peers_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<Peer>> retired_ ABSL_GUARDED_BY(mutex_);  // may have calls
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewire::client
