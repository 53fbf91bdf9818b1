#include "codegen/options.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/compiler/code_generator.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pagewire::codegen {

absl::StatusOr<Options> ParseOptions(const std::string& parameter) {
  std::vector<std::pair<std::string, std::string>> pairs;
  google::protobuf::compiler::ParseGeneratorParameter(parameter, &pairs);
  Options options;
  std::set<std::string> seen;
  for (const auto& [key, value] : pairs) {
    if (key != "mocks") {
      return absl::InvalidArgumentError(
          absl::StrCat("unknown option \"", key, "\"; the options are: mocks=true|false"));
    }
    if (!seen.insert(key).second) {
      return absl::InvalidArgumentError(absl::StrCat("option \"", key, "\" is given more than once"));
    }
    if (value != "true" && value != "false") {
      return absl::InvalidArgumentError(
          absl::StrCat("option \"", key, "\" has the value \"", value, "\"; it takes true or false"));
    }
    options.mocks = value == "true";
  }
  return options;
}

}  // namespace pagewire::codegen
