#include "client/resolution_gate.h"

#include <utility>

#include "base/status.h"

namespace pagewire::client {

void ResolutionGate::Tell(absl::StatusOr<Resolution> answer) {
  if (answer.ok() && last_ == *answer) return;
  {
    base::MutexLock lock(mutex_);
    if (closed_) return;
    running_ = true;
  }
  last_ = answer.ok() ? std::optional(*answer) : std::nullopt;
  if (answer.ok()) {
    callback_(std::move(answer));
  } else {
    callback_(base::CloneStatus(answer.status()));
  }
  base::MutexLock lock(mutex_);
  running_ = false;
  idle_.NotifyAll();
}

void ResolutionGate::Close() {
  base::MutexLock lock(mutex_);
  closed_ = true;
  while (running_) idle_.Wait(mutex_);
}

}  // namespace pagewire::client
