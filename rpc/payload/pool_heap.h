// What is behind a Pool, and kept alive by its blocks.
#pragma once

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/mutex.h"
#include "payload/pool.h"
#include "payload/slab.h"
#include "payload/slab_region.h"

namespace pagewire::memory {

// Thread-safe: one lock, which no system call is made under, but for making more memory usable.
class PoolHeap {
 public:
  explicit PoolHeap(const PoolOptions& options);
  PoolHeap(const PoolHeap&) = delete;
  PoolHeap& operator=(const PoolHeap&) = delete;

  // A block of at least `bytes`; see Pool::TryAllocate. Its size says how it was made and must come back with it.
  absl::StatusOr<absl::Span<char>> Allocate(size_t bytes);

  void Free(absl::Span<char> block);

  PoolStats stats() const;

 private:
  static constexpr size_t kSizeClasses = 9;  // 4 KiB << 0 ... 8, that is 1 MiB

  // The first size class among large blocks, 512 KiB. The kernel fills a whole huge page at the first touch, so huge
  // pages are for blocks that are a good part of one.
  static constexpr size_t kFirstLargeClass = 7;

  // Free blocks, or a whole free slab, whose pages are about to be given back. Nobody else can take them meanwhile.
  struct Retired {
    Slab* slab = nullptr;          // null: nothing to do
    std::vector<uint16_t> blocks;  // empty: the whole slab
    size_t bytes = 0;
  };

  absl::StatusOr<absl::Span<char>> AllocateFromClass(size_t size_class) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<absl::Span<char>> AllocateRun(size_t slabs) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Slab*> TakeSlabs(SlabRegion& region, size_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Slabs that were cut and have no block in use become free slabs again.
  void Uncut(SlabRegion& region) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void FreeBlock(Slab& slab, const char* data) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FreeRun(SlabRegion& region, Slab& first, size_t slabs) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Call after slab.idle_bytes has changed from `before`: keeps the sum and the list of idle slabs.
  void CountIdle(Slab& slab, size_t before) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Gives pages back until the cap is kept. Without the lock.
  void Trim();
  Retired RetireOldest() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void GiveBack(Retired& retired);
  void PutGivenBack(const Retired& retired) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const uint64_t max_idle_bytes_;
  mutable base::Mutex mutex_;
  SlabRegion small_ ABSL_GUARDED_BY(mutex_);
  SlabRegion large_ ABSL_GUARDED_BY(mutex_);
  std::array<SlabList<&Slab::in_class>, kSizeClasses> classes_ ABSL_GUARDED_BY(mutex_);
  SlabList<&Slab::in_idle> idle_slabs_ ABSL_GUARDED_BY(mutex_);
  uint64_t in_use_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t peak_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t idle_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t given_back_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace pagewire::memory
