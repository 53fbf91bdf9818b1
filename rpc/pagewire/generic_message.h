// A message that nobody has parsed, with its payload.
#pragma once

#include <pagewire/payload.h>

#include <string>

namespace pagewire {

struct GenericMessage {
  std::string bytes;  // serialized protobuf
  Payload payload;    // empty where there is none
};

}  // namespace pagewire
