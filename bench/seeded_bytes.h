// Bytes that follow from a seed, in memory that is missed when it does not come back.
#pragma once

#include <pagewire/payload.h>

#include <cstdint>

namespace pagewire::bench {

// Pooled, or lent: external memory that is overwritten and freed when it comes back.
Payload SeededPayload(uint64_t seed, uint64_t size);

// The payload's bytes are those of SeededPayload(seed, more), from `offset` on.
bool IsSeeded(uint64_t seed, const Payload& payload, uint64_t offset = 0);

// How many lent payloads are out.
int64_t LentPayloads();

}  // namespace pagewire::bench
