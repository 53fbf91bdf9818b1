// Which files a run of the demo moves.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bulk/demo/machine.h"
#include "bulk/demo/source_file.h"

namespace bulk::demo {

// How large the biggest of files of `total` bytes together should be: half of them, but not more than 512 MiB.
uint64_t WantedBigFileBytes(uint64_t total);

// Files of exactly `total` bytes together: files found on this machine, repeated when they do not suffice, and last a
// big one made of such files in `directory`, of WantedBigFileBytes or as much as `room` has, and what the others leave.
// RESOURCE_EXHAUSTED: there is no room worth the name.
absl::StatusOr<std::vector<SourceFile>> MakeCorpus(uint64_t total, const Room& room, const std::string& directory);

}  // namespace bulk::demo
