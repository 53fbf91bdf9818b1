#include "payload/slab_region.h"

#include <absl/strings/str_cat.h>

#include <iterator>

namespace pagewire::memory {

Slab* SlabRegion::Take(std::map<size_t, size_t>::iterator gap, size_t count) {
  const auto [first, length] = *gap;
  gaps_.erase(gap);
  if (length > count) gaps_.emplace(first + count, length - count);
  return slabs_[first].get();
}

Slab* SlabRegion::TakeFree(size_t count) {
  for (auto gap = gaps_.begin(); gap != gaps_.end(); ++gap) {
    if (gap->second >= count) return Take(gap, count);
  }
  return nullptr;
}

absl::StatusOr<Slab*> SlabRegion::Grow(size_t count) {
  // A gap at the end is the start of the new run.
  size_t first = slabs_.size();
  if (!gaps_.empty() && gaps_.rbegin()->first + gaps_.rbegin()->second == first) first = gaps_.rbegin()->first;

  const size_t limit = range_.size() / kSlabBytes;
  if (count > limit - first) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the pool's ", range_.size(),
                     " bytes of addresses for blocks of this kind have no room for it; "
                     "release payloads, or raise the limit on address space (ulimit -v) if there is one"));
  }
  if (absl::Status status = range_.Commit((first + count) * kSlabBytes); !status.ok()) return status;
  if (first < slabs_.size()) gaps_.erase(first);
  while (slabs_.size() < first + count) {
    slabs_.push_back(std::make_unique<Slab>(*this, static_cast<uint32_t>(slabs_.size())));
  }
  return slabs_[first].get();
}

void SlabRegion::TakeOut(Slab& slab) {
  const auto gap = std::prev(gaps_.upper_bound(slab.number));
  const auto [first, length] = *gap;
  gaps_.erase(gap);
  if (slab.number > first) gaps_.emplace(first, slab.number - first);
  const size_t end = first + length;
  if (slab.number + size_t{1} < end) gaps_.emplace(slab.number + 1, end - slab.number - 1);
}

void SlabRegion::Put(Slab& first, size_t count) {
  size_t start = first.number;
  const auto next = gaps_.lower_bound(start);
  if (next != gaps_.end() && next->first == start + count) {
    count += next->second;
    gaps_.erase(next);
  }
  const auto after = gaps_.lower_bound(start);
  if (after != gaps_.begin()) {
    const auto before = std::prev(after);
    if (before->first + before->second == start) {
      before->second += count;
      return;
    }
  }
  gaps_.emplace_hint(after, start, count);
}

}  // namespace pagewire::memory
