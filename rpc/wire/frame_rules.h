// What a single frame can get wrong by itself, whatever came before it.
#pragma once

#include <absl/status/status.h>

#include "wire/frame.h"

namespace pagewire::wire {

// Checks flags, body and data of a frame against each other: ids are not 0, sizes fit, a message's first frame holds
// what its flags say. INVALID_ARGUMENT, beginning with the frame's type, for the first violation found.
// What needs the connection's state (does the call exist, is there credit) is not checked here, nor is metadata
// (wire/metadata.h), which only concerns its call.
absl::Status CheckFrame(const Frame& frame);

}  // namespace pagewire::wire
