// Payload bytes that say which payload they belong to, and where.
//
// Every 8 bytes are a function of the payload's id, their offset and a seed, so a line of 64 bytes of another payload,
// another place or another time is told apart wherever it turns up.
#pragma once

#include <pagewire/payload.h>

#include <absl/types/span.h>

#include <cstdint>
#include <optional>
#include <string>

namespace pagewire::transfer {

struct StampOf {
  uint64_t payload = 0;
  uint64_t seed = 0;
  uint64_t offset = 0;  // in the payload, of the first byte that is looked at; whole words of 8
};

// Stamps memory of any alignment, as a payload, or a piece of one, that begins with it.
void WriteStamps(const StampOf& stamp, absl::Span<char> memory);

// Nothing when every byte is right, else what is wrong with the first that is not.
std::optional<std::string> CheckStamps(const StampOf& stamp, const Payload& payload);

// What buffers hold that nobody may look at any more.
void Poison(absl::Span<char> memory);

}  // namespace pagewire::transfer
