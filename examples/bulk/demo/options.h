// The command line of pagewire-demo.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bulk/demo/row.h"

namespace bulk::demo {

struct Options {
  uint64_t size = uint64_t{2} << 30;  // bytes to move, puts plus gets
  std::vector<Row> rows;
  std::string json_file;  // empty: none
};

// Ends the program after --help, and with status 2 after an error.
Options ParseOptions(int argc, char** argv);

// "64M", "2G", "4096": bytes, or K, M, G as powers of 1024.
absl::StatusOr<uint64_t> ParseSize(const std::string& text);

}  // namespace bulk::demo
