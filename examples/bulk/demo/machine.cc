#include "bulk/demo/machine.h"

#include <absl/strings/str_cat.h>
#include <linux/magic.h>
#include <pagewire/held_budget.h>
#include <sys/statfs.h>

#include <fstream>
#include <limits>

namespace bulk::demo {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kUnknown = std::numeric_limits<uint64_t>::max();

// Left free, so that the demo does not fill what others use.
constexpr uint64_t kSpareDisk = 64 * kMiB;

uint64_t AvailableMemory() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  while (file >> word) {
    uint64_t kibibytes = 0;
    if (word == "MemAvailable:" && file >> kibibytes) return kibibytes << 10;
  }
  return kUnknown;
}

void Limit(Room& room, uint64_t largest_file, std::string limit) {
  if (largest_file < room.largest_file) room = {largest_file, std::move(limit)};
}

}  // namespace

Room MeasureRoom(const std::string& directory) {
  Room room = {kUnknown, "nothing"};

  // Three quarters: the budget also covers credit for what is to come.
  const uint64_t budget = pagewire::HeldBudgetLimit();
  Limit(room, budget / 4 * 3,
        absl::StrCat("the held budget of ", budget / kMiB, " MiB (PAGEWIRE_HELD_BUDGET sets it)"));

  struct statfs disk = {};
  const bool disk_known = statfs(directory.c_str(), &disk) == 0;
  if (disk_known) {
    const uint64_t free = static_cast<uint64_t>(disk.f_bavail) * static_cast<uint64_t>(disk.f_bsize);
    Limit(room, (free > kSpareDisk ? free - kSpareDisk : 0) / 2,
          absl::StrCat(free / kMiB, " MiB of free space in ", directory, " (TMPDIR names another place)"));
  }

  // Twice in memory, twice more where the directory is memory as well, and as much for everything else.
  const bool directory_is_memory = disk_known && disk.f_type == TMPFS_MAGIC;
  const uint64_t memory = AvailableMemory();
  Limit(room, memory / (directory_is_memory ? 6 : 4), absl::StrCat(memory / kMiB, " MiB of available memory"));
  return room;
}

}  // namespace bulk::demo
