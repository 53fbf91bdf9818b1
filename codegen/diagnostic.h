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

// "foo.proto:12:3: text", or "foo.proto: text" without a place. `severity` goes before the text: "warning: ".
std::string ToString(const Diagnostic& diagnostic, const std::string& severity = "");

struct Diagnostics {
  std::vector<Diagnostic> errors;    // nothing can be generated
  std::vector<Diagnostic> warnings;  // something is left out
};

}  // namespace pagewire::codegen
