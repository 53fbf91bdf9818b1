#include "client/peer_set.h"

#include <absl/strings/str_cat.h>
#include <pagewire/executor.h>
#include <pagewire/log.h>

#include <algorithm>
#include <random>
#include <utility>

#include "base/string_view.h"
#include "client/pick.h"

namespace pagewire::client {
namespace {

// What a call counts for, beside its bytes.
constexpr uint64_t kBytesOfACall = 256;

bool Balances(const ServiceConfig& config) {
  return config.balancing().value_or(Balancing::kPickFirst) != Balancing::kPickFirst;
}

}  // namespace

struct PeerSet::Peer {
  Peer(std::string at, std::vector<std::shared_ptr<Lane>> to) : address(std::move(at)), lanes(std::move(to)) {}

  // Calls keep their peer, so there are none left; what the lanes still wait for ends on their loops.
  ~Peer() { lanes.Shutdown(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  const std::string address;
  const LaneSet lanes;
  std::atomic<uint64_t> load = 0;
};

std::shared_ptr<PeerSet> PeerSet::Create(std::vector<std::shared_ptr<Lane>> first, std::shared_ptr<NameWatch> names,
                                         std::shared_ptr<const ServiceConfig> config, MakeLanes make_lanes) {
  std::shared_ptr<PeerSet> set(
      new PeerSet(std::move(first), std::move(names), std::move(config), std::move(make_lanes)));
  if (set->names_ != nullptr && (set->configurable_ || set->balances_)) {
    set->subscription_ = set->names_->Subscribe([weak = std::weak_ptr<PeerSet>(set)] {
      // Not here: the last reference must not go inside the callback.
      DefaultExecutor().Run([weak] {
        if (const auto self = weak.lock()) self->Update();
      });
    });
  }
  return set;
}

PeerSet::PeerSet(std::vector<std::shared_ptr<Lane>> first, std::shared_ptr<NameWatch> names,
                 std::shared_ptr<const ServiceConfig> config, MakeLanes make_lanes)
    : first_(std::move(first)),
      names_(std::move(names)),
      make_lanes_(std::move(make_lanes)),
      configurable_(names_ != nullptr && names_->may_configure()),
      config_(std::move(config)),
      balances_(names_ != nullptr && Balances(*config_)),
      turn_(std::random_device()()) {}

PeerSet::~PeerSet() {
  if (subscription_ != 0) names_->Unsubscribe(subscription_);
}

std::shared_ptr<const ServiceConfig> PeerSet::config() const {
  if (!configurable_) return config_;
  base::MutexLock lock(mutex_);
  return resolved_config_ != nullptr ? resolved_config_ : config_;
}

void PeerSet::SetConfig(const std::string& json) {
  if (json == resolved_json_) return;
  resolved_json_ = json;
  absl::StatusOr<std::shared_ptr<const ServiceConfig>> config = ServiceConfig::Parse(json);
  if (config.ok()) {
    resolved_config_ = *std::move(config);
    balances_ = Balances(*resolved_config_);
  } else {
    Log(LogSeverity::kWarning, base::ToStd(absl::StrCat("from the resolver of ", names_->target(), ": ",
                                                        config.status().message(), "; the former one stays in use")));
  }
}

void PeerSet::Update() {
  base::MutexLock lock(mutex_);
  const NameWatch::Answer answer = names_->Get();  // under the lock, so that an older one never comes after
  if (answer.resolution == nullptr || shut_down_) return;
  if (answer.resolution->service_config.has_value()) SetConfig(*answer.resolution->service_config);
  SetPeers(balances_ ? answer.resolution->addresses : std::vector<std::string>());
}

void PeerSet::SetPeers(const std::vector<std::string>& addresses) {
  std::vector<std::shared_ptr<Peer>> peers;
  for (const std::string& address : addresses) {
    const auto same = [&](const auto& peer) { return peer->address == address; };
    if (std::any_of(peers.begin(), peers.end(), same)) continue;
    if (const auto known = std::find_if(peers_.begin(), peers_.end(), same); known != peers_.end()) {
      peers.push_back(*known);
      continue;
    }
    peers.push_back(std::make_shared<Peer>(address, make_lanes_(address)));
    peers.back()->lanes.TryToConnect();
  }
  std::erase_if(retired_, [](const auto& peer) { return peer.expired(); });
  for (const std::shared_ptr<Peer>& peer : peers_) {
    if (std::find(peers.begin(), peers.end(), peer) != peers.end()) continue;
    peer->lanes.Retire();
    retired_.push_back(peer);
  }
  peers_ = std::move(peers);
}

PeerSet::Choice PeerSet::ForCall(const Call& call) {
  if (!balances_) return {first_.ForCall(call.bulk), nullptr};
  std::shared_ptr<Peer> peer;
  {
    base::MutexLock lock(mutex_);
    std::vector<PeerView> views;
    views.reserve(peers_.size());
    std::optional<size_t> avoided;  // ready all the same
    for (const std::shared_ptr<Peer>& candidate : peers_) {
      const ConnectivityState state = candidate->lanes.state();
      // A lane that has lost its connection makes a new one when it is asked to.
      if (state == ConnectivityState::kIdle) candidate->lanes.TryToConnect();
      const bool avoid = candidate.get() == call.avoid;
      if (avoid && state == ConnectivityState::kReady) avoided = views.size();
      views.push_back(
          {avoid ? ConnectivityState::kTransientFailure : state, candidate->load.load(std::memory_order_relaxed)});
    }
    const auto& config = resolved_config_ != nullptr ? resolved_config_ : config_;
    const bool by_load = config->balancing() == Balancing::kLeastLoaded;
    const uint64_t turn = turn_.fetch_add(1, std::memory_order_relaxed);
    std::optional<size_t> picked = PickPeer(views, turn, by_load);
    if (!picked.has_value() && avoided.has_value()) picked = avoided;
    if (picked.has_value()) peer = peers_[*picked];
  }
  if (peer == nullptr) return {first_.ForCall(call.bulk), nullptr};
  const uint64_t load = kBytesOfACall + call.bytes;
  peer->load.fetch_add(load, std::memory_order_relaxed);
  LaneSet::Choice in = peer->lanes.ForCall(call.bulk);
  in.place = call::Place(nullptr, [peer, load, place = std::move(in.place)](void*) {
    peer->load.fetch_sub(load, std::memory_order_relaxed);
  });
  return {std::move(in), std::move(peer)};
}

bool PeerSet::OthersReady(const Peer* but) const {
  if (!balances_) return false;
  base::MutexLock lock(mutex_);
  return std::any_of(peers_.begin(), peers_.end(), [but](const std::shared_ptr<Peer>& peer) {
    return peer.get() != but && peer->lanes.state() == ConnectivityState::kReady;
  });
}

void PeerSet::TryToConnect() {
  if (balances_) names_->Start();
  first_.TryToConnect();
}

void PeerSet::Shutdown() {
  first_.Shutdown();
  base::MutexLock lock(mutex_);
  shut_down_ = true;
  for (const std::shared_ptr<Peer>& peer : peers_) peer->lanes.Shutdown();
  for (const std::weak_ptr<Peer>& weak : retired_) {
    if (const auto peer = weak.lock()) peer->lanes.Shutdown();
  }
  peers_.clear();
}

}  // namespace pagewire::client
