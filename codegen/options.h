// What a user may ask of the plugin: protoc --pagewire_out=OPTIONS:DIR or --pagewire_opt=OPTIONS.
#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace pagewire::codegen {

struct Options {
  // mocks=true|false: whether foo.pagewire.mock.h is written and MockStub declared.
  bool mocks = true;
};

// `parameter` is "key=value,key=value"; empty means the defaults. INVALID_ARGUMENT names the part that is wrong: a key
// that does not exist or comes twice, a value that its key does not take.
absl::StatusOr<Options> ParseOptions(const std::string& parameter);

}  // namespace pagewire::codegen
