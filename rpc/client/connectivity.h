// A channel's connectivity state, as all threads see it: that of its lanes together, and those who wait for it to
// change.
#pragma once

#include <pagewire/connectivity_state.h>

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <vector>

#include "base/mutex.h"

namespace pagewire::client {

// Whether a lane in state `a` can do less than one in state `b`. IDLE says least, because a lane that nobody has needed
// yet says nothing about the server.
bool LessAble(ConnectivityState a, ConnectivityState b);

// Thread-safe.
class Connectivity {
 public:
  // A lane more, IDLE; what Set and Remove call it.
  uint64_t Add();

  // It is no longer one of the channel's; what it says from here on is ignored.
  void Remove(uint64_t lane);

  // That of the lane that can do most: READY if one is, else CONNECTING, else TRANSIENT_FAILURE. IDLE only if all are,
  // because a lane that nobody has needed yet says nothing about the server.
  ConnectivityState state() const;
  void Set(uint64_t lane, ConnectivityState state);

  // Blocks until the state is another than `last_seen`. False when `deadline` passed before.
  bool WaitForChange(ConnectivityState last_seen, absl::Time deadline) const;

  // Runs `callback` once with the state, on DefaultExecutor(), as soon as that is another than `last_seen`.
  void OnChange(ConnectivityState last_seen, absl::AnyInvocable<void(ConnectivityState)> callback);

 private:
  struct Watcher {
    ConnectivityState last_seen;
    absl::AnyInvocable<void(ConnectivityState)> callback;
  };

  using States = std::map<uint64_t, ConnectivityState>;
  void Update(absl::AnyInvocable<void(States&)> change);

  mutable base::Mutex mutex_;
  States lanes_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_lane_ ABSL_GUARDED_BY(mutex_) = 0;
  mutable base::CondVar changed_;
  ConnectivityState state_ ABSL_GUARDED_BY(mutex_) = ConnectivityState::kIdle;
  std::vector<Watcher> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::client
