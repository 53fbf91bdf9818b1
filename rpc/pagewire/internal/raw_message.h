// A message of a call on its way between generated code and the wire.
#pragma once

#include <pagewire/payload.h>

#include <string>

namespace pagewire::internal {

struct RawMessage {
  std::string bytes;  // serialized
  Payload payload;    // empty where the method has none for this direction
};

}  // namespace pagewire::internal
