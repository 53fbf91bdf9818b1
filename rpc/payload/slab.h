// 2 MiB of a pool: cut into blocks of one size, or one link of a longer block, or free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "payload/page.h"

namespace pagewire::memory {

class SlabRegion;

// Links of an intrusive, doubly linked list.
struct SlabLinks {
  struct Slab* newer = nullptr;
  struct Slab* older = nullptr;
};

// A stack of free blocks: the block that was freed last is taken first, while it may still be in cache. Of the blocks
// in the stack, the resident ones are on top and the ones whose pages the kernel has lie below, because freed blocks
// are pushed and pages are given back for all blocks of a slab at once.
//
// Bookkeeping only: memory is not touched. Guarded by its pool's lock.
struct Slab {
  Slab(SlabRegion& slab_region, uint32_t slab_number) : region(&slab_region), number(slab_number) {}

  // Cuts the slab into blocks, all free. If the slab is resident, all its blocks count as resident.
  void Cut(int new_size_class, size_t new_block_bytes);

  // A block's index, to be used by somebody. Not when `free` is empty.
  uint16_t Pop();

  // The block is free again.
  void Push(uint16_t block);

  // Takes the resident free blocks out of the stack, so that their pages can be given back; PutGivenBack returns them.
  std::vector<uint16_t> TakeResident();
  void PutGivenBack(const std::vector<uint16_t>& blocks);

  // What is cut and has no block in use is free as a whole. If a block of it is resident, all of it
  // counts as resident.
  void Uncut();

  bool is_cut() const { return size_class >= 0; }
  size_t block_count() const { return kSlabBytes / block_bytes; }
  bool all_free() const { return free.size() == block_count(); }

  SlabRegion* const region;
  const uint32_t number;  // in its region

  // Bytes that nobody uses and that are resident. For a slab that is free as a whole: all or nothing.
  size_t idle_bytes = 0;

  // While it is cut:
  int size_class = -1;  // -1: not cut
  size_t block_bytes = 0;
  std::vector<uint16_t> free;

  SlabLinks in_class;  // in the list of slabs of its class that have free blocks
  SlabLinks in_idle;   // in the list of slabs with idle bytes
};

// Slabs by when they were last put to the front. `links` says which of a slab's two lists it is.
template <SlabLinks Slab::*links>
class SlabList {
 public:
  Slab* newest() const { return newest_; }
  Slab* oldest() const { return oldest_; }

  bool Contains(const Slab* slab) const { return slab == newest_ || (slab->*links).newer != nullptr; }

  void PushNewest(Slab* slab) {
    (slab->*links).older = newest_;
    (newest_ != nullptr ? (newest_->*links).newer : oldest_) = slab;
    newest_ = slab;
  }

  void PushOldest(Slab* slab) {
    (slab->*links).newer = oldest_;
    (oldest_ != nullptr ? (oldest_->*links).older : newest_) = slab;
    oldest_ = slab;
  }

  void Remove(Slab* slab) {
    SlabLinks& own = slab->*links;
    (own.newer != nullptr ? (own.newer->*links).older : newest_) = own.older;
    (own.older != nullptr ? (own.older->*links).newer : oldest_) = own.newer;
    own = SlabLinks();
  }

 private:
  Slab* newest_ = nullptr;
  Slab* oldest_ = nullptr;
};

}  // namespace pagewire::memory
