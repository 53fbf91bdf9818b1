// What payloads consist of in fuzzed connections, so that every byte can be checked wherever it arrives.
#pragma once

#include <pagewire/payload.h>

#include <cstdint>
#include <string>

namespace pagewire::call {

// Another value at every place of a page, and on every page.
inline char PayloadByte(uint64_t id, uint64_t offset) {
  return static_cast<char>(id * 131 + offset * 7 + (offset >> 12) * 29);
}

// The bytes [offset, offset + length) of the payload with this id.
inline std::string PayloadBytes(uint64_t id, uint64_t offset, uint64_t length) {
  std::string bytes(length, '\0');
  for (char& byte : bytes) byte = PayloadByte(id, offset++);
  return bytes;
}

// Whether `payload` consists of them, from its beginning.
inline bool IsPayload(const Payload& payload, uint64_t id) {
  uint64_t offset = 0;
  for (const absl::Span<const char> span : payload.spans()) {
    for (const char byte : span) {
      if (byte != PayloadByte(id, offset++)) return false;
    }
  }
  return true;
}

}  // namespace pagewire::call
