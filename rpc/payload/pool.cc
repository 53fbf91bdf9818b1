#include "payload/pool.h"

#include <absl/strings/str_cat.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "base/memory_limit.h"
#include "base/status.h"
#include "payload/pool_heap.h"

namespace pagewire::memory {

void Block::Reset() {
  if (heap_ == nullptr) return;
  const std::shared_ptr<PoolHeap> heap = std::move(heap_);
  heap->Free(absl::MakeSpan(std::exchange(data_, nullptr), std::exchange(capacity_, 0)));
}

void Block::DropPages() {
  if (capacity_ > 0) madvise(data_, capacity_, MADV_DONTNEED);
}

uint64_t PoolOptions::DefaultMaxIdleBytes() {
  constexpr uint64_t kMost = uint64_t{1} << 30;
  return std::min(base::UsableMemoryBytes() / 8, kMost);
}

Pool::Pool(const PoolOptions& options) : heap_(std::make_shared<PoolHeap>(options)) {}

Pool::~Pool() = default;

Pool& Pool::Default() {
  static Pool& pool = *new Pool();
  return pool;
}

absl::StatusOr<Block> Pool::TryAllocate(size_t bytes) {
  absl::StatusOr<absl::Span<char>> block = heap_->Allocate(bytes);
  if (!block.ok()) {
    return base::Annotate(block.status(), absl::StrCat("cannot allocate ", bytes, " bytes"));
  }
  return Block(heap_, block->data(), block->size());
}

PoolStats Pool::stats() const { return heap_->stats(); }

}  // namespace pagewire::memory
