// Numbers that the wire format fixes for everyone, and the limits that a receiver chooses for frames.
#pragma once

#include <algorithm>
#include <cstdint>

namespace pagewire::wire {

// Protocol versions that this code speaks, both ends included.
inline constexpr uint16_t kMinVersion = 1;
inline constexpr uint16_t kMaxVersion = 1;

// Chunks start at, and are, multiples of this many bytes, whatever the page size of either machine.
inline constexpr uint32_t kChunkUnit = 4096;

// The largest data of a message part that every peer accepts: the least that the setting max_data_length may be. With
// parts of this size a sender need not ask what its peer's setting is; the frame around one costs 0.2 %.
inline constexpr uint32_t kMessagePartBytes = 16 << 10;

// The least credit that a message takes. 64 bytes: about what a receiver needs to keep an empty one until it is read.
inline constexpr uint64_t kMinMessageCredit = 64;

// What a message of `bytes` takes of its call's and its connection's credit.
inline constexpr uint64_t MessageCredit(uint64_t bytes) { return std::max(bytes, kMinMessageCredit); }

// No size, offset or limit on the wire is larger: sums of two of them cannot overflow 64 bits.
inline constexpr uint64_t kMaxBytes = (uint64_t{1} << 63) - 1;

// What a receiver accepts in one frame; its settings of the same names. The decoder never keeps more than
// max_body_length + max_data_length bytes.
struct FrameLimits {
  uint32_t max_body_length = 64 << 10;
  uint32_t max_data_length = 64 << 10;
  uint32_t max_chunk_length = 1 << 20;  // a multiple of kChunkUnit
};

}  // namespace pagewire::wire
