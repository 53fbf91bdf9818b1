#include "harness/bytes.h"

#include <algorithm>
#include <cstring>

namespace pagewire::bench {
namespace {

// The words are added up in turns that the compiler can put into vectors.
uint64_t Sum(const char* data, size_t words) {
  uint64_t sum = 0;
  for (size_t i = 0; i < words; ++i) {
    uint64_t word;
    std::memcpy(&word, data + i * sizeof(word), sizeof(word));
    sum += word;
  }
  return sum;
}

}  // namespace

void FillBytes(void* data, size_t size, uint64_t seed) { std::memset(data, static_cast<int>(1 + seed % 255), size); }

void ByteReader::Read(const void* data, size_t size) {
  if (size == 0) return;
  const char* const bytes = static_cast<const char*>(data);
  if (!any_) {
    pattern_ = static_cast<unsigned char>(bytes[0]) * 0x0101010101010101u;
    any_ = true;
  }
  const size_t words = size / sizeof(uint64_t);
  right_ = right_ && pattern_ != 0 && Sum(bytes, words) == pattern_ * words &&
           std::all_of(bytes + words * sizeof(uint64_t), bytes + size,
                       [this](char byte) { return static_cast<unsigned char>(byte) == (pattern_ & 0xff); });
}

}  // namespace pagewire::bench
