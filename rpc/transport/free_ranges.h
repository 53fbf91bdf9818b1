// Which parts of an address range are free.
#pragma once

#include <absl/container/btree_map.h>

#include <cstdint>
#include <optional>

namespace pagewire::transport {

// Offsets and lengths; knows no memory. The lowest fitting place is taken: what is used stays close together, and page
// tables, which the kernel keeps for every address that was ever used, stay small. Not thread-safe.
class FreeRanges {
 public:
  // Everything from 0 to `size` is free.
  explicit FreeRanges(uint64_t size) { Add(0, size); }

  // The offset of `length` free bytes, which are not free any more; nothing when there is no such run. length > 0.
  std::optional<uint64_t> Take(uint64_t length);

  // Makes a part free that was taken; it merges with its neighbours.
  void Add(uint64_t offset, uint64_t length);

  uint64_t free_bytes() const { return free_bytes_; }

 private:
  absl::btree_map<uint64_t, uint64_t> ranges_;  // offset to length; no two touch
  uint64_t free_bytes_ = 0;
};

}  // namespace pagewire::transport
