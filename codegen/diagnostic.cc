#include "codegen/diagnostic.h"

#include <absl/strings/str_cat.h>

#include <string>

namespace pagewire::codegen {

std::string ToString(const Diagnostic& diagnostic) {
  const std::string place =
      diagnostic.line > 0 ? absl::StrCat(":", diagnostic.line, ":", diagnostic.column) : std::string();
  return absl::StrCat(diagnostic.file, place, ": ", diagnostic.text);
}

}  // namespace pagewire::codegen
