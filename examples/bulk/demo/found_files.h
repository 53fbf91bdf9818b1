// Real files to move.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <vector>

#include "bulk/demo/source_file.h"

namespace bulk::demo {

// Regular files of 1 to `largest` bytes that this machine has anyway (the toolchain's programs and libraries), each
// content once, however many links it has. In an order in which every stretch has all orders of magnitude; the same
// files on the same machine give the same order. NOT_FOUND: there is none.
absl::StatusOr<std::vector<SourceFile>> FindFiles(uint64_t largest);

}  // namespace bulk::demo
