// What budgets and their holders look like at one moment, for whoever asks.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pagewire::memory {

struct BudgetView {
  uint64_t id = 0;      // rises with each budget of the process; never used again
  uint64_t parent = 0;  // 0: none
  std::string name;
  std::string peer;    // of a connection's
  uint64_t limit = 0;  // Budget::kNoLimit: none of its own
  uint64_t reserved = 0;
  uint64_t peak = 0;     // of `reserved`
  uint64_t waiting = 0;  // what those in line want
};

// One reservation and the parts split off it.
struct HolderView {
  uint64_t id = 0;  // rises with each holder of the process; never used again
  uint64_t budget = 0;
  std::string label;
  std::string peer;   // of the budget
  uint64_t call = 0;  // see HolderName
  uint64_t bytes = 0;
  absl::Time since;                               // as absl::Now
  absl::Time delivered = absl::InfiniteFuture();  // as base::CoarseNow; see Reservation::SetDelivered
};

// Those of the whole process with ids above `after`, by id, at most `limit`. A budget is listed until it and all that
// was reserved of it are gone. Any thread.
std::vector<BudgetView> ListBudgets(uint64_t after, size_t limit);

struct HolderQuery {
  uint64_t after = 0;            // ids above this one,
  uint64_t last = ~uint64_t{0};  // up to this one
  size_t limit = 0;
  uint64_t budget = 0;                        // this one, or below it; 0: all
  absl::Time until = absl::InfiniteFuture();  // that have held since then, as absl::Now
};
std::vector<HolderView> ListHolders(const HolderQuery& query);

// The highest id that a holder has had; those to come have higher ones. Any thread.
uint64_t LastHolderId();

}  // namespace pagewire::memory
