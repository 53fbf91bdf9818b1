// Timers in the order in which they are due. Pure bookkeeping; a loop runs it.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "transport/loop.h"

namespace pagewire::transport {

// Most timers are deadlines: they are due long after those that were added before, and are cancelled. Adding one takes
// constant time then, and cancelling always: its place in the order stays until it comes to the front or until most
// places are of timers that are gone. Not thread-safe.
class TimerQueue {
 public:
  Loop::TimerId Add(absl::Time due, absl::AnyInvocable<void()> task);

  // Destroys the task before it returns. Ids of timers that are gone are ignored.
  void Cancel(Loop::TimerId id);

  bool empty() const { return armed_ == 0; }

  // When the first timer is due; InfiniteFuture when there is none.
  absl::Time next_due();

  // Runs what is due at `now`, in order, apart from timers that are added meanwhile: a timer that renews itself
  // without a delay must not keep the loop from everything else.
  void RunDue(absl::Time now);

  // Destroys all tasks, including those that their destructors add.
  void Clear();

 private:
  // An id is a slot's index + 1 with its generation above it, which counts the timers that the slot has had.
  struct Slot {
    absl::AnyInvocable<void()> task;
    uint64_t age = 0;  // of its timer; 0: it has none
    uint32_t generation = 0;
  };
  struct Place {
    absl::Time due;
    uint64_t age;  // by Add: equal times keep its order
    uint32_t slot;
  };
  struct Later {
    bool operator()(const Place& a, const Place& b) const { return a.due != b.due ? a.due > b.due : a.age > b.age; }
  };
  bool Gone(const Place& place) const { return slots_[place.slot].age != place.age; }
  absl::AnyInvocable<void()> Take(uint32_t slot);
  void DropGone();
  void PopFirst();

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;  // slots
  std::vector<Place> order_;    // a heap whose first is due first; with places of timers that are gone
  size_t armed_ = 0;
  uint64_t last_age_ = 0;
};

}  // namespace pagewire::transport
