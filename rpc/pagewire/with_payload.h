// A message and the payload that goes with it.
#pragma once

#include <pagewire/payload.h>

namespace pagewire {

// What a method whose response has a payload returns: `return WithPayload<GetReply>{reply, std::move(payload)};`. An
// empty payload is a payload of 0 bytes.
template <typename Message>
struct WithPayload {
  Message message;
  Payload payload;
};

}  // namespace pagewire
