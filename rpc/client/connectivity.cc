#include "client/connectivity.h"

#include <pagewire/executor.h>

#include <absl/time/clock.h>

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

ConnectivityState Connectivity::state() const {
  base::MutexLock lock(mutex_);
  return state_;
}

void Connectivity::Set(ConnectivityState state) {
  std::vector<Watcher> told;
  {
    base::MutexLock lock(mutex_);
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
