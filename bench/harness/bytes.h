// How payloads are touched: the same for every program, so that none does more or less than another.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pagewire::bench {

// Writes every byte. Never zeros; `seed` varies them.
void FillBytes(void* data, size_t size, uint64_t seed);

// Reads every byte of a payload that arrives in one or several parts, and knows whether all of them are as FillBytes
// left them.
class ByteReader {
 public:
  void Read(const void* data, size_t size);
  bool right() const { return right_ && any_; }

 private:
  uint64_t pattern_ = 0;
  bool any_ = false;
  bool right_ = true;
};

}  // namespace pagewire::bench
