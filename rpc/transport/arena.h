// The address range that received pages are mapped into.
//
// Mapped from a throwaway TCP socket, it serves every TCP connection of the process. A payload's pages lie in one or
// more ranges of it; when the last handle on a range is gone its pages go back to the kernel. That costs a system call
// and a flush of the processor's address cache, so ranges are collected and given back together:
//
//   [ in use | released, released | in use | free ............................ ]
//              `-- one madvise for neighbours, once batch_bytes have come together
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "transport/free_ranges.h"

namespace pagewire::transport {

class Arena;

// Whole pages of addresses; nothing is mapped there until a socket is asked to. Gives pages and addresses back when
// destroyed, in any thread, and keeps the arena alive. Only for the socket and for reading; not valid in a forked
// child.
class ArenaRange {
 public:
  ArenaRange(std::shared_ptr<Arena> arena, char* data, size_t size)
      : arena_(std::move(arena)), data_(data), size_(size) {}
  ~ArenaRange();
  ArenaRange(const ArenaRange&) = delete;
  ArenaRange& operator=(const ArenaRange&) = delete;

  char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  const std::shared_ptr<Arena> arena_;
  char* const data_;
  const size_t size_;
};

// Thread-safe.
class Arena : public std::enable_shared_from_this<Arena> {
 public:
  struct Options {
    uint64_t bytes = 0;  // of addresses, whole pages; they cost nothing

    // Bytes of pages that may wait to be given back, beyond what payloads hold. 2 MiB: at that size the fixed cost of a
    // call (2.5 µs with another running thread) is a twentieth of unmapping the pages (0.1 µs each).
    uint64_t batch_bytes = 2 << 20;
  };

  // UNAVAILABLE, with what the system said, when there can be none: no such sockets, no such mapping, no addresses.
  static absl::StatusOr<std::shared_ptr<Arena>> Create(const Options& options);

  // The process's; made at the first use, never destroyed. It has twice the addresses that the process's held budget
  // can fill, so that runs of them are found. The status says why there is none.
  static const absl::StatusOr<std::shared_ptr<Arena>>& Default();

  // Null while nothing has used it, or if there is none.
  static const Arena* DefaultIfMade();

  ~Arena();

  // Whole pages, more than 0. Null when no run of addresses is long enough. Nothing is mapped in what is returned.
  std::shared_ptr<const ArenaRange> TryAllocate(size_t bytes);

  // CPU time in nanoseconds that giving back so many bytes has cost on the average; 0 before the first time.
  uint64_t CostOfReturning(uint64_t bytes) const;

  // Gives back at once what is released.
  void GiveBack();

  // In bytes, but for the last.
  struct Stats {
    uint64_t reserved = 0;         // addresses
    uint64_t in_use = 0;           // of these, in ranges that are out
    uint64_t peak = 0;             // of in_use
    uint64_t released = 0;         // waiting to be given back
    uint64_t given_back = 0;       // since the arena was made
    uint64_t give_back_calls = 0;  // system calls that took
    uint64_t give_back_ns = 0;     // and CPU time
  };
  Stats stats() const;

 private:
  friend class ArenaRange;
  struct Run {
    uint64_t offset;
    uint64_t length;
  };

  Arena(char* base, const Options& options);
  void Release(char* data, size_t size);
  std::vector<Run> TakeReleased() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveBack(std::vector<Run> runs);

  char* const base_;
  const Options options_;
  mutable base::Mutex mutex_;
  FreeRanges free_ ABSL_GUARDED_BY(mutex_);
  std::vector<Run> released_ ABSL_GUARDED_BY(mutex_);
  Stats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::transport
