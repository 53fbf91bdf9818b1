// A payload larger than memory, made and checked piece by piece.
#pragma once

#include <pagewire/pagewire.h>

#include <cstdint>
#include <string>

#include "transfer.pagewire.h"

namespace pagewire::transfer {

// Writes all of it from a few buffers, each of which is used again as soon as the API allows and poisoned before that.
absl::Status WritePieces(const Poured& payload, MessageWriter<Payload>& pieces);

// Reads to the end; how many bytes that were. DATA_LOSS at the first wrong one.
absl::StatusOr<uint64_t> CheckPieces(const Poured& payload, MessageReader<Payload>& pieces);

// Sends such a payload to a server and gets one back. 0 when every byte was right.
int PourAndDraw(const std::string& target, uint64_t bytes, uint64_t seed);

}  // namespace pagewire::transfer
