#include "client/connectivity.h"

#include <pagewire/executor.h>

#include <absl/time/clock.h>

#include <algorithm>
#include <utility>

namespace pagewire {

std::string_view ConnectivityStateName(ConnectivityState state) {
  switch (state) {
    case ConnectivityState::kIdle:
      return "IDLE";
    case ConnectivityState::kConnecting:
      return "CONNECTING";
    case ConnectivityState::kReady:
      return "READY";
    case ConnectivityState::kTransientFailure:
      return "TRANSIENT_FAILURE";
    case ConnectivityState::kShutdown:
      return "SHUTDOWN";
  }
  return "";
}

namespace client {
namespace {

// How much a state says, beside others.
int Rank(ConnectivityState state) {
  switch (state) {
    case ConnectivityState::kShutdown:
      return 4;
    case ConnectivityState::kReady:
      return 3;
    case ConnectivityState::kConnecting:
      return 2;
    case ConnectivityState::kTransientFailure:
      return 1;
    case ConnectivityState::kIdle:
      return 0;
  }
  return 0;
}

}  // namespace

bool LessAble(ConnectivityState a, ConnectivityState b) { return Rank(a) < Rank(b); }

ConnectivityState Connectivity::state() const {
  base::MutexLock lock(mutex_);
  return state_;
}

uint64_t Connectivity::Add() {
  base::MutexLock lock(mutex_);
  lanes_.emplace(++last_lane_, ConnectivityState::kIdle);
  return last_lane_;
}

void Connectivity::Remove(uint64_t lane) {
  Update([lane](States& lanes) { lanes.erase(lane); });
}

void Connectivity::Set(uint64_t lane, ConnectivityState of_lane) {
  Update([lane, of_lane](States& lanes) {
    if (const auto it = lanes.find(lane); it != lanes.end()) it->second = of_lane;
  });
}

void Connectivity::Update(absl::AnyInvocable<void(States&)> change) {
  std::vector<Watcher> told;
  ConnectivityState state;
  {
    base::MutexLock lock(mutex_);
    change(lanes_);
    state = ConnectivityState::kIdle;
    for (const auto& [lane, of_lane] : lanes_) state = std::max(state, of_lane, LessAble);
    if (state_ == state) return;
    state_ = state;
    changed_.NotifyAll();
    std::vector<Watcher> watchers = std::exchange(watchers_, {});
    for (Watcher& watcher : watchers) {
      (watcher.last_seen == state ? watchers_ : told).push_back(std::move(watcher));
    }
  }
  for (Watcher& watcher : told) {
    DefaultExecutor().Run([state, callback = std::move(watcher.callback)]() mutable { callback(state); });
  }
}

bool Connectivity::WaitForChange(ConnectivityState last_seen, absl::Time deadline) const {
  base::MutexLock lock(mutex_);
  while (state_ == last_seen) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    changed_.WaitFor(mutex_, left);
  }
  return true;
}

void Connectivity::OnChange(ConnectivityState last_seen, absl::AnyInvocable<void(ConnectivityState)> callback) {
  ConnectivityState now;
  {
    base::MutexLock lock(mutex_);
    if (state_ == last_seen) return watchers_.push_back({last_seen, std::move(callback)});
    now = state_;
  }
  DefaultExecutor().Run([now, callback = std::move(callback)]() mutable { callback(now); });
}

}  // namespace client
}  // namespace pagewire
