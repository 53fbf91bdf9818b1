#include "peers/pooled_memory.h"

#include <utility>

namespace pagewire::bench {

char* PooledMemory::Take() {
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      char* const block = free_.back().release();
      free_.pop_back();
      return block;
    }
  }
  return new char[bytes_];
}

void PooledMemory::Give(char* block) {
  std::lock_guard lock(mutex_);
  free_.emplace_back(block);
}

}  // namespace pagewire::bench
