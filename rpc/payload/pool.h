// Page-aligned memory that is reused while it is hot.
//
// A pool reserves two ranges of addresses once and makes them usable step by step; it maps nothing afterwards, so that
// a payload never costs a fresh mapping (which is 4 to 7 times the price of copying it into memory that was used
// before).
//
//     small classes   [ slab 2 MiB | slab | slab |      reserved, not yet usable      ]   ordinary pages
//                       4 KiB blocks, 8 KiB, ... 256 KiB
//     large blocks    [ slab | slab | run of slabs ... |  reserved, not yet usable    ]   huge pages (MADV_HUGEPAGE)
//                       512 KiB, 1 MiB, 2 MiB, 4 MiB, ...
//
// Below 2 MiB a size is rounded up to a power of two and its blocks are cut from slabs; the block that was freed last
// is given out first. From 2 MiB on a block is a run of slabs, the first that is long enough.
//
// Memory that nobody uses stays resident up to a cap. Beyond it the pages that were freed longest ago are given back to
// the kernel (MADV_DONTNEED); their addresses stay with the pool and are used again. The pool never unmaps; it gives
// pages back.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "payload/block.h"
#include "payload/page.h"

namespace pagewire::memory {

struct PoolOptions {
  // Addresses to reserve, in bytes, split evenly between small and large blocks. 0: four times the machine's memory, so
  // that neither half runs out before the memory does, however fragmented. Where the kernel refuses (ulimit -v), less.
  uint64_t reserve_bytes = 0;

  // How much unused memory may stay resident. 0: none; default: an eighth of the usable memory, at most 1 GiB. An
  // eighth is half of the default held budget: a process that turns over that much at a time never faults a page in;
  // and an idle process keeps at most 1 GiB that others could use.
  uint64_t max_idle_bytes = DefaultMaxIdleBytes();

  static uint64_t DefaultMaxIdleBytes();
};

// All figures in bytes. Taken at one moment, so that they fit together.
struct PoolStats {
  uint64_t reserved = 0;    // of addresses
  uint64_t committed = 0;   // of addresses that were ever made usable
  uint64_t in_use = 0;      // capacity of the blocks that are out
  uint64_t peak = 0;        // of in_use
  uint64_t idle = 0;        // not in use and resident, as far as the pool knows
  uint64_t given_back = 0;  // given back to the kernel since the pool was made
};

// Thread-safe. Blocks may outlive the pool.
class Pool {
 public:
  explicit Pool(const PoolOptions& options = {});
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // The process's pool; never destroyed.
  static Pool& Default();

  // A block of at least `bytes` (at least one page, also for 0). RESOURCE_EXHAUSTED when the pool's addresses are used
  // up or the kernel refuses memory; the message says which, and what to do.
  //
  // Freeing a block while more than max_idle_bytes are unused costs a system call, about 0.1 µs for each page given
  // back.
  absl::StatusOr<Block> TryAllocate(size_t bytes);

  PoolStats stats() const;

 private:
  const std::shared_ptr<PoolHeap> heap_;
};

}  // namespace pagewire::memory
