// What must hold for the frame decoder whatever bytes it gets. Shared by the fuzz target and by the short run of it
// that is an ordinary test.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pagewire::wire {

// Decodes `input` at once and again in pieces whose lengths follow from `input`, as a session would. Returns what went
// wrong, if anything: the two differ, the decoder's invariant is broken, it asks for more than its limits allow, or a
// frame that it yields does not survive being encoded again.
//
// Built with PAGEWIRE_FUZZ_CANARY, the reader in pieces has a bug of the kind that this is to find: it takes a frame
// that was skipped for the end of what it has read.
std::optional<std::string> CheckFrameDecoder(std::string_view input);

}  // namespace pagewire::wire
