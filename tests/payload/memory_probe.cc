#include "payload/memory_probe.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <vector>

namespace pagewire::testing {

size_t ResidentPages(const void* data, size_t bytes) {
  std::vector<unsigned char> pages(bytes / 4096);
  if (::mincore(const_cast<void*>(data), bytes, pages.data()) != 0) return SIZE_MAX;
  return static_cast<size_t>(std::count_if(pages.begin(), pages.end(), [](unsigned char page) { return page & 1; }));
}

size_t CountMappings() {
  std::ifstream maps("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(maps, line);) ++count;
  return count;
}

bool WantsHugePages(const void* data) {
  const auto address = reinterpret_cast<uintptr_t>(data);
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    // "start-end perms ..." begins a mapping, "VmFlags: rd wr ... hg" ends it.
    const size_t dash = line.find('-');
    if (dash != std::string::npos && dash <= 16 && line.find(' ') > dash && std::isxdigit(line[0])) {
      inside = address >= std::stoull(line, nullptr, 16) && address < std::stoull(line.substr(dash + 1), nullptr, 16);
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      return line.find(" hg") != std::string::npos;
    }
  }
  return false;
}

}  // namespace pagewire::testing
