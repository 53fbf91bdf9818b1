// One file larger than any that machines usually have.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bulk/demo/source_file.h"

namespace bulk::demo {

// Writes a file of `size` bytes: the content of `sources`, over again as often as needed, in blocks of 1 MiB that each
// begin with a line of their own, so that no two are the same.
absl::StatusOr<SourceFile> MakeBigFile(const std::string& path, uint64_t size, const std::vector<SourceFile>& sources);

}  // namespace bulk::demo
