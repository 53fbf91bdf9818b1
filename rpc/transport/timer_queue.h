// Timers in the order in which they are due. Pure bookkeeping; a loop runs it.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/flat_hash_map.h>
#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <cstdint>
#include <utility>

#include "transport/loop.h"

namespace pagewire::transport {

// Adding and cancelling cost O(log n): most timers are deadlines that are cancelled. Not thread-safe.
class TimerQueue {
 public:
  Loop::TimerId Add(absl::Time due, absl::AnyInvocable<void()> task);

  // Destroys the task before it returns. Unknown ids are ignored.
  void Cancel(Loop::TimerId id);

  bool empty() const { return timers_.empty(); }

  // When the first timer is due; InfiniteFuture when there is none.
  absl::Time next_due() const { return timers_.empty() ? absl::InfiniteFuture() : timers_.begin()->first.first; }

  // Runs what is due at `now`, in order, apart from timers that are added meanwhile: a timer that renews itself
  // without a delay must not keep the loop from everything else.
  void RunDue(absl::Time now);

  // Destroys all tasks, including those that their destructors add.
  void Clear();

 private:
  using Key = std::pair<absl::Time, Loop::TimerId>;  // ids grow, so equal times keep the order of Add
  absl::btree_map<Key, absl::AnyInvocable<void()>> timers_;
  absl::flat_hash_map<Loop::TimerId, absl::Time> due_;
  Loop::TimerId last_id_ = 0;
};

}  // namespace pagewire::transport
