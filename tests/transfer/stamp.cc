#include "transfer/stamp.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstring>

namespace pagewire::transfer {
namespace {

// splitmix64's finalizer: every bit of the input changes half of the output.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

class Stamps {
 public:
  explicit Stamps(const StampOf& stamp) : base_(Mix(stamp.payload * 0x9e3779b97f4a7c15 + stamp.seed)) {}
  uint64_t Word(uint64_t index) const { return Mix(base_ + index); }

 private:
  const uint64_t base_;
};

}  // namespace

void WriteStamps(const StampOf& stamp, absl::Span<char> memory) {
  const Stamps stamps(stamp);
  for (uint64_t offset = 0; offset < memory.size(); offset += 8) {
    const uint64_t word = stamps.Word((stamp.offset + offset) / 8);
    std::memcpy(memory.data() + offset, &word, std::min<uint64_t>(8, memory.size() - offset));
  }
}

std::optional<std::string> CheckStamps(const StampOf& stamp, const Payload& payload) {
  const Stamps stamps(stamp);
  uint64_t offset = stamp.offset;
  for (const absl::Span<const char> span : payload.spans()) {
    for (size_t at = 0; at < span.size();) {
      const uint64_t word = stamps.Word(offset / 8);
      const size_t within = offset % 8;
      const size_t size = std::min<size_t>(8 - within, span.size() - at);
      if (std::memcmp(span.data() + at, reinterpret_cast<const char*>(&word) + within, size) != 0) {
        return absl::StrCat("payload ", stamp.payload, " of ", payload.size(), " bytes is wrong in the line at offset ",
                            offset / 64 * 64, ", which begins with byte ",
                            absl::Hex(static_cast<unsigned char>(span[at])));
      }
      at += size;
      offset += size;
    }
  }
  return std::nullopt;
}

void Poison(absl::Span<char> memory) { std::memset(memory.data(), 0xdb, memory.size()); }

}  // namespace pagewire::transfer
