// libFuzzer's door to CheckConnection.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "fuzz/connection_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto problem = pagewire::call::CheckConnection(std::string_view(reinterpret_cast<const char*>(data), size));
  if (problem.has_value()) {
    std::fprintf(stderr, "%s\n", problem->c_str());
    std::abort();
  }
  return 0;
}
