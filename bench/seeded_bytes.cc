#include "seeded_bytes.h"

#include <pagewire/payload_buffer.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace pagewire::bench {
namespace {

std::atomic<int64_t> lent_payloads = 0;

char ByteAt(uint64_t seed, uint64_t offset) { return static_cast<char>(seed * 31 + offset * 7 + (offset >> 12) * 11); }

void Fill(uint64_t seed, char* data, uint64_t size) {
  for (uint64_t i = 0; i < size; ++i) data[i] = ByteAt(seed, i);
}

}  // namespace

Payload SeededPayload(uint64_t seed, uint64_t size) {
  if (size == 0) return Payload();
  if (seed % 2 == 0) {
    PayloadBuffer buffer = PayloadBuffer::Allocate(size);
    Fill(seed, buffer.data(), size);
    return std::move(buffer).Freeze();
  }
  auto memory = std::make_unique<char[]>(size);
  char* const data = memory.get();
  Fill(seed, data, size);
  ++lent_payloads;
  return Payload::FromExternal(data, size, [memory = std::move(memory), size] {
    std::memset(memory.get(), 0xdb, size);
    --lent_payloads;
  });
}

bool IsSeeded(uint64_t seed, const Payload& payload, uint64_t offset) {
  for (const absl::Span<const char> span : payload.spans()) {
    for (const char byte : span) {
      if (byte != ByteAt(seed, offset++)) return false;
    }
  }
  return true;
}

int64_t LentPayloads() { return lent_payloads; }

}  // namespace pagewire::bench
