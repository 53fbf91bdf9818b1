// A channel's connectivity state, as all threads see it, and those who wait for it to change.
#pragma once

#include <pagewire/connectivity_state.h>

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <vector>

#include "base/mutex.h"

namespace pagewire::client {

// Thread-safe.
class Connectivity {
 public:
  ConnectivityState state() const;
  void Set(ConnectivityState state);

  // Blocks until the state is another than `last_seen`. False when `deadline` passed before.
  bool WaitForChange(ConnectivityState last_seen, absl::Time deadline) const;

  // Runs `callback` once with the state, on DefaultExecutor(), as soon as that is another than `last_seen`.
  void OnChange(ConnectivityState last_seen, absl::AnyInvocable<void(ConnectivityState)> callback);

 private:
  struct Watcher {
    ConnectivityState last_seen;
    absl::AnyInvocable<void(ConnectivityState)> callback;
  };

  mutable base::Mutex mutex_;
  mutable base::CondVar changed_;
  ConnectivityState state_ ABSL_GUARDED_BY(mutex_) = ConnectivityState::kIdle;
  std::vector<Watcher> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::client
