// operator new that counts, of the program that this is linked into. Allocations that go to malloc directly are not
// seen.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "harness/usage.h"

namespace {

void* Counted(void* memory) {
  if (memory == nullptr) std::abort();  // nothing here goes on without memory
  if (pagewire::bench::CountsAllocations().load(std::memory_order_relaxed)) ++pagewire::bench::AllocationCount();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Counted(std::malloc(size > 0 ? size : 1)); }
void* operator new(size_t size, std::align_val_t alignment) {
  const auto align = static_cast<size_t>(alignment);
  return Counted(std::aligned_alloc(align, (size + align - 1) / align * align));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
