// A loopback address that no other process uses, for tests that listen again on a port which they have let go: on
// 127.0.0.1 any process may have taken it in between.
#pragma once

#include <unistd.h>

#include <string>

namespace pagewire::testing {

// The process id, which has at most 22 bits, in 127.64.0.0/10. "127.64.3.232".
inline std::string OwnHost() {
  const auto id = static_cast<unsigned>(getpid());
  return "127." + std::to_string(64 + (id >> 16 & 63)) + "." + std::to_string(id >> 8 & 255) + "." +
         std::to_string(id & 255);
}

}  // namespace pagewire::testing
