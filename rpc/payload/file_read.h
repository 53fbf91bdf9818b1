// Reading a file at an offset.
#pragma once

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>

namespace pagewire::memory {

// How many bytes of `out` were filled: fewer than it has only where the file ends. What the kernel said otherwise. With
// O_DIRECT everything is aligned.
absl::StatusOr<size_t> ReadAt(int fd, uint64_t offset, absl::Span<char> out, bool direct = false);

}  // namespace pagewire::memory
