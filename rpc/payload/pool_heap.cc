#include "payload/pool_heap.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/memory_limit.h"

namespace pagewire::memory {
namespace {

uint64_t ReserveBytes(const PoolOptions& options) {
  return options.reserve_bytes != 0 ? options.reserve_bytes : 4 * base::MachineMemoryBytes();
}

}  // namespace

PoolHeap::PoolHeap(const PoolOptions& options)
    : max_idle_bytes_(options.max_idle_bytes),
      small_(ReserveBytes(options) / 2, AddressRange::Pages::kOrdinary),
      large_(ReserveBytes(options) / 2, AddressRange::Pages::kHuge) {}

absl::StatusOr<absl::Span<char>> PoolHeap::Allocate(size_t bytes) {
  absl::StatusOr<absl::Span<char>> block;
  {
    base::MutexLock lock(mutex_);
    if (bytes > kSlabBytes / 2) {
      block = AllocateRun(bytes / kSlabBytes + (bytes % kSlabBytes != 0 ? 1 : 0));
    } else {
      const size_t pages = (std::max<size_t>(bytes, 1) + kPageBytes - 1) / kPageBytes;
      block = AllocateFromClass(static_cast<size_t>(std::bit_width(pages - 1)));
    }
    if (block.ok()) in_use_bytes_ += block->size();
    peak_bytes_ = std::max(peak_bytes_, in_use_bytes_);
  }
  if (block.ok()) Unpoison(block->data(), block->size());
  return block;
}

absl::StatusOr<absl::Span<char>> PoolHeap::AllocateFromClass(size_t size_class) {
  SlabList<& Slab::in_class>& slabs = classes_[size_class];
  const size_t block_bytes = kPageBytes << size_class;
  if (slabs.newest() == nullptr) {
    absl::StatusOr<Slab*> slab = TakeSlabs(size_class < kFirstLargeClass ? small_ : large_, 1);
    if (!slab.ok()) return std::move(slab).status();
    (*slab)->Cut(static_cast<int>(size_class), block_bytes);
    slabs.PushNewest(*slab);
  }
  Slab& slab = *slabs.newest();
  const size_t idle_before = slab.idle_bytes;
  const size_t offset = slab.Pop() * block_bytes;
  CountIdle(slab, idle_before);
  if (slab.free.empty()) slabs.Remove(&slab);
  return absl::MakeSpan(slab.region->address(slab) + offset, block_bytes);
}

absl::StatusOr<absl::Span<char>> PoolHeap::AllocateRun(size_t slabs) {
  absl::StatusOr<Slab*> first = TakeSlabs(large_, slabs);
  if (!first.ok()) return std::move(first).status();
  for (size_t i = 0; i < slabs; ++i) {
    Slab& slab = large_.At((*first)->number + i);
    CountIdle(slab, std::exchange(slab.idle_bytes, 0));
  }
  return absl::MakeSpan(large_.address(**first), slabs * kSlabBytes);
}

absl::StatusOr<Slab*> PoolHeap::TakeSlabs(SlabRegion& region, size_t count) {
  if (Slab* first = region.TakeFree(count)) return first;
  Uncut(region);
  if (Slab* first = region.TakeFree(count)) return first;
  return region.Grow(count);
}

void PoolHeap::Uncut(SlabRegion& region) {
  for (SlabList<&Slab::in_class>& slabs : classes_) {
    for (Slab* slab = slabs.newest(); slab != nullptr;) {
      Slab* const next = slab->in_class.older;
      if (slab->region == &region && slab->all_free()) {
        slabs.Remove(slab);
        const size_t idle_before = slab->idle_bytes;
        slab->Uncut();
        CountIdle(*slab, idle_before);
        region.Put(*slab, 1);
      }
      slab = next;
    }
  }
}

void PoolHeap::Free(absl::Span<char> block) {
  Poison(block.data(), block.size());
  bool over = false;
  {
    base::MutexLock lock(mutex_);
    in_use_bytes_ -= block.size();
    SlabRegion& region = small_.range().Contains(block.data()) ? small_ : large_;
    Slab& slab = region.SlabAt(block.data());
    if (block.size() < kSlabBytes) {
      FreeBlock(slab, block.data());
    } else {
      FreeRun(region, slab, block.size() / kSlabBytes);
    }
    over = idle_bytes_ > max_idle_bytes_;
  }
  if (over) Trim();
}

void PoolHeap::FreeBlock(Slab& slab, const char* data) {
  const size_t offset = static_cast<size_t>(data - slab.region->address(slab));
  const size_t idle_before = slab.idle_bytes;
  slab.Push(static_cast<uint16_t>(offset / slab.block_bytes));
  CountIdle(slab, idle_before);
  SlabList<& Slab::in_class>& slabs = classes_[static_cast<size_t>(slab.size_class)];
  if (slabs.Contains(&slab)) slabs.Remove(&slab);
  slabs.PushNewest(&slab);
}

void PoolHeap::FreeRun(SlabRegion& region, Slab& first, size_t slabs) {
  // The lowest address becomes the newest: that is where the next run is taken.
  for (size_t i = slabs; i-- > 0;) {
    Slab& slab = region.At(first.number + i);
    CountIdle(slab, std::exchange(slab.idle_bytes, kSlabBytes));
  }
  region.Put(first, slabs);
}

void PoolHeap::CountIdle(Slab& slab, size_t before) {
  idle_bytes_ = idle_bytes_ - before + slab.idle_bytes;
  const bool freed = slab.idle_bytes > before;
  if (before > 0 && (freed || slab.idle_bytes == 0)) idle_slabs_.Remove(&slab);
  if (freed) idle_slabs_.PushNewest(&slab);
}

void PoolHeap::Trim() {
  for (;;) {
    Retired retired;
    {
      base::MutexLock lock(mutex_);
      if (idle_bytes_ > max_idle_bytes_) retired = RetireOldest();
    }
    if (retired.slab == nullptr) return;
    GiveBack(retired);
    base::MutexLock lock(mutex_);
    PutGivenBack(retired);
  }
}

PoolHeap::Retired PoolHeap::RetireOldest() {
  Retired retired;
  retired.slab = idle_slabs_.oldest();
  Slab& slab = *retired.slab;
  retired.bytes = slab.idle_bytes;
  if (slab.is_cut()) {
    retired.blocks = slab.TakeResident();
    if (slab.free.empty()) classes_[static_cast<size_t>(slab.size_class)].Remove(&slab);
  } else {
    slab.idle_bytes = 0;
    slab.region->TakeOut(slab);
  }
  CountIdle(slab, retired.bytes);
  return retired;
}

void PoolHeap::GiveBack(Retired& retired) {
  Slab& slab = *retired.slab;
  if (retired.blocks.empty()) return slab.region->GiveBack(slab, 0, kSlabBytes);
  // Neighbours together: a system call costs more than its pages.
  std::sort(retired.blocks.begin(), retired.blocks.end());
  for (size_t i = 0; i < retired.blocks.size();) {
    size_t end = i + 1;
    while (end < retired.blocks.size() && retired.blocks[end] == retired.blocks[end - 1] + 1) ++end;
    slab.region->GiveBack(slab, retired.blocks[i] * slab.block_bytes, (end - i) * slab.block_bytes);
    i = end;
  }
  std::reverse(retired.blocks.begin(), retired.blocks.end());  // the lowest address will be taken first
}

void PoolHeap::PutGivenBack(const Retired& retired) {
  given_back_bytes_ += retired.bytes;
  Slab& slab = *retired.slab;
  if (retired.blocks.empty()) return slab.region->Put(slab, 1);
  slab.PutGivenBack(retired.blocks);
  SlabList<& Slab::in_class>& slabs = classes_[static_cast<size_t>(slab.size_class)];
  if (!slabs.Contains(&slab)) slabs.PushOldest(&slab);
}

PoolStats PoolHeap::stats() const {
  base::MutexLock lock(mutex_);
  PoolStats stats;
  stats.reserved = small_.range().size() + large_.range().size();
  stats.committed = small_.range().committed() + large_.range().committed();
  stats.in_use = in_use_bytes_;
  stats.peak = peak_bytes_;
  stats.idle = idle_bytes_;
  stats.given_back = given_back_bytes_;
  return stats;
}

}  // namespace pagewire::memory
