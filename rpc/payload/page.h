// The sizes that pooled memory is made of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pagewire::memory {

// Blocks are whole pages of this size and start at one; so are chunks on the wire.
inline constexpr size_t kPageBytes = 4096;

// The pool cuts memory from slabs of one huge page of x86-64 and of arm64 with 4 KiB pages.
inline constexpr size_t kSlabBytes = size_t{2} << 20;
inline constexpr size_t kPagesPerSlab = kSlabBytes / kPageBytes;

}  // namespace pagewire::memory
