#include "transfer/payload_keeper.h"

#include <absl/time/clock.h>

#include <optional>
#include <utility>

namespace pagewire::transfer {

PayloadKeeper::PayloadKeeper() : thread_([this] { Run(); }) {}

PayloadKeeper::~PayloadKeeper() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void PayloadKeeper::Keep(const StampOf& stamp, Payload payload, absl::Duration hold) {
  Check(stamp, payload);
  base::MutexLock lock(mutex_);
  kept_.emplace(absl::Now() + hold, Kept{stamp, std::move(payload)});
  changed_.NotifyAll();
}

void PayloadKeeper::Check(const StampOf& stamp, const Payload& payload) {
  const std::optional<std::string> wrong = CheckStamps(stamp, payload);
  base::MutexLock lock(mutex_);
  findings_.checked_bytes += payload.size();
  if (wrong.has_value() && findings_.first_error.empty()) findings_.first_error = *wrong;
}

PayloadKeeper::Findings PayloadKeeper::Finish() {
  base::MutexLock lock(mutex_);
  while (!kept_.empty() || checking_) changed_.Wait(mutex_);
  return findings_;
}

void PayloadKeeper::Run() {
  mutex_.Lock();
  while (!stopping_) {
    const absl::Time next = kept_.empty() ? absl::InfiniteFuture() : kept_.begin()->first;
    if (const absl::Time now = absl::Now(); next > now) {
      changed_.WaitFor(mutex_, next - now);
      continue;
    }
    Kept due = std::move(kept_.begin()->second);
    kept_.erase(kept_.begin());
    ++findings_.payloads;
    checking_ = true;
    mutex_.Unlock();
    Check(due.stamp, due.payload);
    due.payload = Payload();
    mutex_.Lock();
    checking_ = false;
    changed_.NotifyAll();
  }
  mutex_.Unlock();
}

}  // namespace pagewire::transfer
