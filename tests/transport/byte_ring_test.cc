#include "transport/byte_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace pagewire::transport {
namespace {

TEST(ByteRing, KeepsOrderAcrossItsEnd) {
  ByteRing ring(13);
  std::deque<char> expected;
  std::mt19937 random(1);
  char next = 0;
  for (int i = 0; i < 2000; ++i) {
    std::array<char, 20> bytes;
    for (char& byte : bytes) byte = next++;
    const size_t first = random() % 10, second = random() % 10;
    const iovec from[] = {{bytes.data(), first}, {nullptr, 0}, {bytes.data() + first, second}};
    const size_t written = ring.Write(from);
    EXPECT_EQ(written, std::min(first + second, 13 - expected.size()));
    expected.insert(expected.end(), bytes.begin(), bytes.begin() + written);
    EXPECT_EQ(ring.size(), expected.size());
    EXPECT_EQ(ring.free(), 13 - expected.size());

    std::array<char, 20> out;
    const size_t left = random() % 10, right = random() % 10;
    const iovec into[] = {{out.data(), left}, {nullptr, 0}, {out.data() + left, right}};
    const size_t read = ring.Read(into);
    ASSERT_EQ(read, std::min(left + right, expected.size()));
    EXPECT_TRUE(std::equal(out.begin(), out.begin() + read, expected.begin()));
    expected.erase(expected.begin(), expected.begin() + read);
  }
}

TEST(ByteRing, ClearEmptiesIt) {
  ByteRing ring(4);
  char bytes[] = "abcd";
  const iovec from = {bytes, 4};
  EXPECT_EQ(ring.Write({&from, 1}), 4u);
  ring.Clear();
  EXPECT_EQ(ring.size(), 0u);
  EXPECT_EQ(ring.Write({&from, 1}), 4u);
}

}  // namespace
}  // namespace pagewire::transport
