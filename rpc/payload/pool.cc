#include "payload/pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "base/memory_limit.h"
#include "base/mutex.h"
#include "payload/run_map.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) static_cast<void>(0)
#endif

namespace pagewire::memory {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kSlab = 2 << 20;  // x86-64's and arm64's huge page
constexpr int kClasses = 10;       // 4 KiB << 0 to 4 KiB << 9, one slab
static_assert(kPage << (kClasses - 1) == kSlab);

// Addresses become usable in steps of this size, so that mprotect is rare.
constexpr uint64_t kCommitStep = 64 << 20;

int ClassOf(size_t bytes) {
  const size_t rounded = std::bit_ceil(std::max(bytes, kPage));
  return std::countr_zero(rounded) - std::countr_zero(kPage);
}

}  // namespace

class PoolHeap {
 public:
  explicit PoolHeap(const PoolOptions& options) : max_idle_(options.max_idle_bytes) {
    uint64_t wanted = options.reserve_bytes;
    if (wanted == 0) {
      wanted = 4 * static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    }
    for (wanted = (wanted + kSlab - 1) / kSlab * kSlab; wanted >= kSlab; wanted /= 2) {
      void* range = mmap(nullptr, wanted + kSlab, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (range == MAP_FAILED) continue;
      mapping_ = static_cast<char*>(range);
      mapping_bytes_ = wanted + kSlab;
      const uintptr_t address = (reinterpret_cast<uintptr_t>(range) + kSlab - 1) / kSlab * kSlab;
      base_ = reinterpret_cast<char*>(address);
      slabs_ = wanted / kSlab;
      stats_.reserved = wanted;
      break;
    }
  }

  ~PoolHeap() {
    if (mapping_ == nullptr) return;
    ASAN_UNPOISON_MEMORY_REGION(mapping_, mapping_bytes_);
    munmap(mapping_, mapping_bytes_);
  }

  absl::StatusOr<std::pair<char*, size_t>> Allocate(size_t bytes) {
    if (bytes > slabs_ * kSlab) return Exhausted(bytes);
    base::MutexLock lock(mutex_);
    char* data = nullptr;
    size_t capacity = 0;
    if (bytes > kSlab) {
      capacity = (bytes + kSlab - 1) / kSlab * kSlab;
      data = TakeRun(capacity / kSlab);
    } else {
      const int size_class = ClassOf(bytes);
      capacity = kPage << size_class;
      data = TakeSmall(size_class);
    }
    if (data == nullptr) return Exhausted(bytes);
    stats_.in_use += capacity;
    ASAN_UNPOISON_MEMORY_REGION(data, capacity);
    return std::make_pair(data, capacity);
  }

  void Free(char* data, size_t capacity) {
    bool keep = false;
    {
      base::MutexLock lock(mutex_);
      keep = stats_.idle + capacity <= max_idle_;
      if (keep) stats_.idle += capacity;
    }
    // While it is in neither list, its pages can go without holding the lock.
    if (!keep) madvise(data, capacity, MADV_DONTNEED);
    ASAN_POISON_MEMORY_REGION(data, capacity);
    base::MutexLock lock(mutex_);
    stats_.in_use -= capacity;
    if (!keep) stats_.given_back += capacity;
    if (capacity >= kSlab) {
      const uint64_t first = (data - base_) / kSlab;
      for (uint64_t slab = first; slab < first + capacity / kSlab; ++slab) resident_[slab] = keep;
      free_runs_.Add(first, capacity / kSlab);
    } else {
      const int size_class = ClassOf(capacity);
      (keep ? hot_ : cold_)[size_class].push_back(data);
    }
  }

  PoolStats stats() const {
    base::MutexLock lock(mutex_);
    return stats_;
  }

 private:
  absl::Status Exhausted(size_t bytes) const {
    return absl::ResourceExhaustedError(absl::StrCat("no memory for ", bytes, " bytes of payload: the pool has ",
                                                     slabs_ * kSlab, " bytes of addresses; drop payloads, or free "
                                                     "memory of the process"));
  }

  char* TakeRun(uint64_t count) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::optional<uint64_t> first = free_runs_.Take(count);
    while (!first.has_value()) {
      if (!Commit()) return nullptr;
      first = free_runs_.Take(count);
    }
    for (uint64_t slab = *first; slab < *first + count; ++slab) {
      if (resident_[slab]) stats_.idle -= kSlab;
      resident_[slab] = false;
    }
    return base_ + *first * kSlab;
  }

  char* TakeSmall(int size_class) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const size_t size = kPage << size_class;
    if (size == kSlab) return TakeRun(1);
    if (hot_[size_class].empty() && cold_[size_class].empty()) {
      char* slab = TakeRun(1);
      if (slab == nullptr) return nullptr;
      for (size_t offset = kSlab; offset > 0; offset -= size) cold_[size_class].push_back(slab + offset - size);
    }
    const bool hot = !hot_[size_class].empty();
    std::vector<char*>& list = hot ? hot_[size_class] : cold_[size_class];
    char* data = list.back();
    list.pop_back();
    if (hot) stats_.idle -= size;
    return data;
  }

  // Makes the next addresses usable. False when there are none, or no memory for them.
  bool Commit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const uint64_t bytes = std::min<uint64_t>(kCommitStep, slabs_ * kSlab - committed_);
    if (bytes == 0 || mprotect(base_ + committed_, bytes, PROT_READ | PROT_WRITE) != 0) return false;
    madvise(base_ + committed_, bytes, MADV_HUGEPAGE);  // a wish: without huge pages it only costs more
    ASAN_POISON_MEMORY_REGION(base_ + committed_, bytes);
    free_runs_.Add(committed_ / kSlab, bytes / kSlab);
    committed_ += bytes;
    stats_.committed = committed_;
    resident_.resize(committed_ / kSlab, false);
    return true;
  }

  const uint64_t max_idle_;
  char* mapping_ = nullptr;
  uint64_t mapping_bytes_ = 0;
  char* base_ = nullptr;  // aligned to kSlab
  uint64_t slabs_ = 0;

  mutable base::Mutex mutex_;
  uint64_t committed_ ABSL_GUARDED_BY(mutex_) = 0;  // bytes from base_ that can be used
  RunMap free_runs_ ABSL_GUARDED_BY(mutex_);
  std::vector<bool> resident_ ABSL_GUARDED_BY(mutex_);  // of free slabs: counted in idle_bytes
  std::array<std::vector<char*>, kClasses> hot_ ABSL_GUARDED_BY(mutex_);   // free, and still memory
  std::array<std::vector<char*>, kClasses> cold_ ABSL_GUARDED_BY(mutex_);  // free addresses
  PoolStats stats_ ABSL_GUARDED_BY(mutex_);
};

void Block::Reset() {
  if (heap_ != nullptr) std::exchange(heap_, nullptr)->Free(std::exchange(data_, nullptr), std::exchange(capacity_, 0));
}

uint64_t PoolOptions::DefaultMaxIdleBytes() {
  return std::min<uint64_t>(base::UsableMemoryBytes() / 8, uint64_t{1} << 30);
}

Pool::Pool(const PoolOptions& options) : heap_(std::make_shared<PoolHeap>(options)) {}

Pool::~Pool() = default;

Pool& Pool::Default() {
  static Pool& pool = *new Pool();
  return pool;
}

absl::StatusOr<Block> Pool::TryAllocate(size_t bytes) {
  absl::StatusOr<std::pair<char*, size_t>> memory = heap_->Allocate(bytes);
  if (!memory.ok()) return std::move(memory).status();
  return Block(heap_, memory->first, memory->second);
}

PoolStats Pool::stats() const { return heap_->stats(); }

}  // namespace pagewire::memory
