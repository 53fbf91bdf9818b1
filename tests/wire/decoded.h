// Runs a FrameDecoder as a session does, over bytes that come in pieces, and writes down what it yields.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/frame.h"
#include "wire/limits.h"
#include "wire/vectors.h"

namespace pagewire::wire {

struct Decoded {
  std::vector<ExpectedEvent> events;
  std::string chunks;   // the bytes of all chunks
  absl::Status status;  // OK, or the violation
  bool at_boundary = true;
};

// How many of the `available` bytes come next; `wanted` is what the decoder asks for. At least 1.
using Pieces = std::function<size_t(size_t wanted, size_t available)>;

inline size_t AllAtOnce(size_t, size_t available) { return available; }
inline size_t OneByOne(size_t, size_t) { return 1; }
inline size_t AsWanted(size_t wanted, size_t available) { return wanted < available ? wanted : available; }

// Feeds `bytes`; a GoogleTest failure is recorded where the decoder breaks its contract.
Decoded DecodeAll(std::string_view bytes, const Pieces& pieces, const FrameLimits& limits = {});

// "PING ACK": type and flags as vectors write them.
std::string Head(const FramePrefix& prefix);

// A frame as vectors describe it.
ExpectedEvent Describe(const Frame& frame);

// Text format on one line.
std::string BodyText(const FrameBody& body);

// "INVALID_ARGUMENT text", as in vectors.
std::string StatusText(const absl::Status& status);

}  // namespace pagewire::wire
