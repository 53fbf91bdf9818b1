#include "payload/slab.h"

#include <algorithm>

namespace pagewire::memory {

void Slab::Cut(int new_size_class, size_t new_block_bytes) {
  size_class = new_size_class;
  block_bytes = new_block_bytes;
  // Lowest address on top, so that a new slab is touched from its start.
  free.resize(block_count());
  for (size_t i = 0; i < free.size(); ++i) free[i] = static_cast<uint16_t>(free.size() - 1 - i);
}

void Slab::Uncut() {
  size_class = -1;
  free.clear();
  if (idle_bytes > 0) idle_bytes = kSlabBytes;
}

uint16_t Slab::Pop() {
  const uint16_t block = free.back();
  free.pop_back();
  idle_bytes -= std::min(idle_bytes, block_bytes);
  return block;
}

void Slab::Push(uint16_t block) {
  free.push_back(block);
  idle_bytes += block_bytes;
}

std::vector<uint16_t> Slab::TakeResident() {
  const size_t resident = idle_bytes / block_bytes;
  std::vector<uint16_t> blocks(free.end() - static_cast<ptrdiff_t>(resident), free.end());
  free.resize(free.size() - resident);
  idle_bytes = 0;
  return blocks;
}

void Slab::PutGivenBack(const std::vector<uint16_t>& blocks) {
  free.insert(free.begin(), blocks.begin(), blocks.end());
}

}  // namespace pagewire::memory
