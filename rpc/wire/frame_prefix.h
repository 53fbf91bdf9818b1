// The fixed part at the head of every frame.
//
// 0      1      2           4             8             12             16              20
// +------+------+-----------+-------------+-------------+--------------+---------------+
// | type | flags| reserved  | body_length | data_length | chunk_length | follow_length |
// +------+------+-----------+-------------+-------------+--------------+---------------+
//
// Little-endian. Then come the body, the data and the chunk, each as long as said here.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/limits.h"

namespace pagewire::wire {

inline constexpr size_t kFramePrefixBytes = 20;

// In host order.
struct FramePrefix {
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t body_length = 0;
  uint32_t data_length = 0;
  uint32_t chunk_length = 0;

  // A hint: so many bytes of frames follow the next chunk before another chunk comes. 0: unknown. It is not bounded.
  uint32_t follow_length = 0;
};

// Writes kFramePrefixBytes to `out`.
void EncodeFramePrefix(const FramePrefix& prefix, char* out);

// `bytes` are exactly kFramePrefixBytes. INVALID_ARGUMENT for what version 1 does not allow (an unknown type below
// 0x80, flags or parts that the type does not have); RESOURCE_EXHAUSTED for a length above `limits`. A type that may be
// skipped has any flags, and is bounded as the others are.
absl::StatusOr<FramePrefix> DecodeFramePrefix(std::string_view bytes, const FrameLimits& limits);

}  // namespace pagewire::wire
