#include "base/memory_limit.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "base/string_view.h"

namespace pagewire::base {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// Version 2 says "max" where there is no limit, version 1 a number near 2^63, which is higher than any memory.
void Lower(const std::string& file, std::optional<uint64_t>& limit) {
  uint64_t bytes = 0;
  if (absl::SimpleAtoi(ReadFile(file), &bytes)) limit = std::min(limit.value_or(bytes), bytes);
}

}  // namespace

std::optional<uint64_t> CgroupMemoryLimit(std::string_view self_cgroup, const std::string& mount) {
  std::optional<uint64_t> limit;
  // Lines are "id:controllers:path"; version 2 has id 0 and no controllers.
  for (absl::string_view line : absl::StrSplit(ToAbsl(self_cgroup), '\n')) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    std::string root = mount;
    absl::string_view file = "/memory.max";
    if (!fields[1].empty()) {
      const std::vector<std::string> controllers = absl::StrSplit(fields[1], ',');
      if (std::find(controllers.begin(), controllers.end(), "memory") == controllers.end()) continue;
      root += "/memory";
      file = "/memory.limit_in_bytes";
    }
    // Inside a container the path may name what only its host sees; the walk then ends at the mount's root, which is
    // the container's own cgroup.
    const absl::string_view path = fields[2];
    for (size_t end = path.size(); end != 0 && end != path.npos; end = path.rfind('/', end - 1)) {
      Lower(absl::StrCat(root, path.substr(0, end), file), limit);
    }
    Lower(absl::StrCat(root, file), limit);
  }
  return limit;
}

uint64_t MachineMemoryBytes() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t UsableMemoryBytes() {
  const uint64_t machine = MachineMemoryBytes();
  return std::min(machine, CgroupMemoryLimit(ReadFile("/proc/self/cgroup"), "/sys/fs/cgroup").value_or(machine));
}

}  // namespace pagewire::base
