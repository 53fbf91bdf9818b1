// The page size that chunks are made of.
#pragma once

#include <cstdint>

namespace pagewire::transport {

// Fixed by the wire format (chunks are k × 4096 bytes), whatever the machine's own page size.
inline constexpr uint64_t kPageBytes = 4096;

constexpr uint64_t RoundDownToPage(uint64_t bytes) { return bytes & ~(kPageBytes - 1); }
constexpr uint64_t RoundUpToPage(uint64_t bytes) { return RoundDownToPage(bytes + kPageBytes - 1); }

}  // namespace pagewire::transport
