#include "harness/bytes.h"

#include <gtest/gtest.h>

#include <vector>

namespace pagewire::bench {
namespace {

std::vector<char> Filled(size_t size, uint64_t seed) {
  std::vector<char> bytes(size);
  FillBytes(bytes.data(), size, seed);
  return bytes;
}

TEST(ByteReader, TakesWhatFillBytesWroteInPartsOfAnySize) {
  for (const uint64_t seed : {0, 1, 254, 255, 256}) {
    const std::vector<char> bytes = Filled(1003, seed);
    ByteReader reader;
    reader.Read(bytes.data(), 3);
    reader.Read(bytes.data() + 3, 0);
    reader.Read(bytes.data() + 3, 1000);
    EXPECT_TRUE(reader.right()) << seed;
  }
}

TEST(ByteReader, FindsOneWrongByteAnywhere) {
  for (size_t at = 0; at < 27; ++at) {
    std::vector<char> bytes = Filled(27, 5);
    ++bytes[at];
    ByteReader reader;
    reader.Read(bytes.data(), bytes.size());
    EXPECT_FALSE(reader.right()) << at;
  }
}

TEST(ByteReader, WantsBytes) {
  ByteReader nothing, zeros;
  EXPECT_FALSE(nothing.right());
  const std::vector<char> memory(64);
  zeros.Read(memory.data(), memory.size());
  EXPECT_FALSE(zeros.right());
}

}  // namespace
}  // namespace pagewire::bench
