// What is wrong with a .proto, and where.
#pragma once

#include <string>
#include <vector>

namespace pagewire::codegen {

struct Diagnostic {
  std::string file;  // by its import path, as protoc's own errors name it
  int line = 0;      // from 1; 0 when the place is not known
  int column = 0;    // from 1
  std::string text;
};

// "foo.proto:12:3: text", or "foo.proto: text" without a place.
std::string ToString(const Diagnostic& diagnostic);

// Nothing can be generated unless this is empty.
using Diagnostics = std::vector<Diagnostic>;

}  // namespace pagewire::codegen
