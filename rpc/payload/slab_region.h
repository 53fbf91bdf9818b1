// An address range as a row of slabs, and which of them are free.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "payload/address_range.h"
#include "payload/slab.h"

namespace pagewire::memory {

// Guarded by its pool's lock, except address() and GiveBack().
class SlabRegion {
 public:
  SlabRegion(uint64_t reserve_bytes, AddressRange::Pages pages) : range_(reserve_bytes, pages) {}

  const AddressRange& range() const { return range_; }

  // The first slab of `count` adjoining ones that were free, at the lowest address where there are so many; null if
  // there are not. The search is linear in the number of gaps, which is small as long as large blocks are.
  Slab* TakeFree(size_t count);

  // The same with slabs that were never used, where the free ones do not suffice. RESOURCE_EXHAUSTED when there are no
  // more addresses or the kernel refuses memory.
  absl::StatusOr<Slab*> Grow(size_t count);

  // Takes this slab, which is free, from the gap it is in.
  void TakeOut(Slab& slab);

  // Frees `count` slabs from `first` on.
  void Put(Slab& first, size_t count);

  // The slab at `address`, and the slabs after another.
  Slab& SlabAt(const char* address) { return *slabs_[static_cast<size_t>(address - range_.data()) / kSlabBytes]; }
  Slab& At(size_t number) { return *slabs_[number]; }

  char* address(const Slab& slab) const { return range_.data() + slab.number * kSlabBytes; }

  // Gives the pages of a part of `slab` back to the kernel.
  void GiveBack(const Slab& slab, size_t offset, size_t bytes) {
    range_.GiveBack(slab.number * kSlabBytes + offset, bytes);
  }

 private:
  Slab* Take(std::map<size_t, size_t>::iterator gap, size_t count);

  AddressRange range_;
  std::vector<std::unique_ptr<Slab>> slabs_;  // all that were ever used, by number
  std::map<size_t, size_t> gaps_;             // free slabs: first number to count; no two adjoin
};

}  // namespace pagewire::memory
