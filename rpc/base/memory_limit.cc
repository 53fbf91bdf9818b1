#include "base/memory_limit.h"

#include <unistd.h>

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "base/string_view.h"

namespace pagewire::base {
namespace {

std::optional<uint64_t> ReadLimit(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  uint64_t limit = 0;
  if (!(file >> text) || !absl::SimpleAtoi(text, &limit)) return std::nullopt;
  return limit;
}

}  // namespace

std::optional<uint64_t> CgroupMemoryLimit(std::string_view self_cgroup, const std::string& mount) {
  std::optional<uint64_t> lowest;
  for (absl::string_view line : absl::StrSplit(ToAbsl(self_cgroup), '\n', absl::SkipEmpty())) {
    const std::vector<std::string> fields = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    const bool version2 = fields[0] == "0" && fields[1].empty();
    const std::vector<std::string> controllers = absl::StrSplit(fields[1], ',');
    if (!version2 && std::find(controllers.begin(), controllers.end(), "memory") == controllers.end()) continue;
    const std::string root = version2 ? mount : absl::StrCat(mount, "/memory");
    const char* file = version2 ? "/memory.max" : "/memory.limit_in_bytes";
    for (std::string group = fields[2];; group.resize(group.rfind('/'))) {
      if (const auto limit = ReadLimit(absl::StrCat(root, group, file))) lowest = std::min(*limit, lowest.value_or(*limit));
      if (group.rfind('/') == std::string::npos) break;
    }
  }
  return lowest;
}

uint64_t UsableMemoryBytes() {
  const uint64_t machine =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::ostringstream self;
  self << std::ifstream("/proc/self/cgroup").rdbuf();
  return std::min(machine, CgroupMemoryLimit(self.str(), "/sys/fs/cgroup").value_or(machine));
}

}  // namespace pagewire::base
