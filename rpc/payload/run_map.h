// Free runs of numbered slabs, lowest first.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>
#include <optional>

namespace pagewire::memory {

// Not thread-safe.
class RunMap {
 public:
  // Adds slabs [first, first + count), which are not in the map; joins them with their neighbours.
  void Add(uint64_t first, uint64_t count) {
    auto next = runs_.lower_bound(first);
    if (next != runs_.begin()) {
      const auto previous = std::prev(next);
      if (previous->first + previous->second == first) {
        first = previous->first;
        count += previous->second;
        runs_.erase(previous);
      }
    }
    if (next != runs_.end() && first + count == next->first) {
      count += next->second;
      runs_.erase(next);
    }
    runs_.emplace(first, count);
  }

  // Takes the lowest run of `count` slabs.
  std::optional<uint64_t> Take(uint64_t count) {
    for (auto it = runs_.begin(); it != runs_.end(); ++it) {
      if (it->second < count) continue;
      const uint64_t first = it->first;
      const uint64_t rest = it->second - count;
      runs_.erase(it);
      if (rest > 0) runs_.emplace(first + count, rest);
      return first;
    }
    return std::nullopt;
  }

 private:
  std::map<uint64_t, uint64_t> runs_;  // first slab -> count
};

}  // namespace pagewire::memory
