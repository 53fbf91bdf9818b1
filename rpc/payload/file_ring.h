// Several writes to a file at a time.
#pragma once

#include <absl/status/status.h>

#include "payload/file_segments.h"

namespace pagewire::memory {

// Writes all segments through an io_uring of its own, and waits. UNIMPLEMENTED when there can be none; otherwise what
// the kernel said of the first write that failed.
absl::Status WriteWithRing(FileSegments& segments, int fd);

}  // namespace pagewire::memory
