#include "transport/free_ranges.h"

#include <iterator>

namespace pagewire::transport {

std::optional<uint64_t> FreeRanges::Take(uint64_t length) {
  for (auto it = ranges_.begin(); it != ranges_.end(); ++it) {
    const auto [offset, free] = *it;
    if (free < length) continue;
    ranges_.erase(it);
    if (free > length) ranges_.emplace(offset + length, free - length);
    free_bytes_ -= length;
    return offset;
  }
  return std::nullopt;
}

void FreeRanges::Add(uint64_t offset, uint64_t length) {
  if (length == 0) return;
  free_bytes_ += length;
  auto after = ranges_.lower_bound(offset);
  if (after != ranges_.end() && offset + length == after->first) {
    length += after->second;
    after = ranges_.erase(after);
  }
  if (after != ranges_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == offset) {
      before->second += length;
      return;
    }
  }
  ranges_.emplace(offset, length);
}

}  // namespace pagewire::transport
