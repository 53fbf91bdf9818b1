// A file whose content the demo moves.
#pragma once

#include <cstdint>
#include <string>

namespace bulk::demo {

struct SourceFile {
  std::string path;
  uint64_t size = 0;  // bytes, when it was found
};

}  // namespace bulk::demo
