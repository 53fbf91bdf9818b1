// Between a resolver's loop and its user's callback.
#pragma once

#include <pagewire/resolver.h>

#include <absl/status/statusor.h>

#include <optional>

#include "base/mutex.h"

namespace pagewire::client {

// Keeps two promises of Resolver: the callback learns only what is new, and never runs again once the resolver is gone.
class ResolutionGate {
 public:
  explicit ResolutionGate(ResolutionCallback callback) : callback_(std::move(callback)) {}
  ResolutionGate(const ResolutionGate&) = delete;
  ResolutionGate& operator=(const ResolutionGate&) = delete;

  // Runs the callback, unless the answer is the one that it got last or the gate is closed. Errors always count as new.
  // One thread at a time.
  void Tell(absl::StatusOr<Resolution> answer);

  // Waits for a callback that is running; none begins afterwards. Any thread, but not inside the callback.
  void Close();

 private:
  const ResolutionCallback callback_;
  std::optional<Resolution> last_;  // of Tell's thread; nullopt after an error

  base::Mutex mutex_;
  base::CondVar idle_;
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewire::client
