// A client that sends as fast as it may.
#pragma once

#include <cstdint>
#include <string>

namespace pagewire::transfer {

// Spends `bytes` at the server, in payloads that share one buffer, `in_flight` calls at a time. 0 when all went well.
int Flood(const std::string& target, uint64_t bytes, uint64_t payload_bytes, int in_flight);

}  // namespace pagewire::transfer
