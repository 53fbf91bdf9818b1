// A response on its way between generated code and the wire.
#pragma once

#include <pagewire/payload.h>

#include <string>

namespace pagewire::internal {

struct RawReply {
  std::string message;  // serialized
  Payload payload;      // empty where the method has none for its response
};

}  // namespace pagewire::internal
