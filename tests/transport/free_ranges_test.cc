#include "transport/free_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace pagewire::transport::testing {
namespace {

TEST(FreeRangesTest, TheLowestFittingPlaceIsTaken) {
  FreeRanges free(100);
  EXPECT_EQ(free.Take(10), 0u);
  EXPECT_EQ(free.Take(20), 10u);
  EXPECT_EQ(free.Take(70), 30u);
  EXPECT_EQ(free.Take(1), std::nullopt);
  free.Add(40, 5);
  free.Add(0, 10);
  EXPECT_EQ(free.Take(6), 0u);
  EXPECT_EQ(free.Take(5), 40u);
  EXPECT_EQ(free.Take(5), std::nullopt);
  EXPECT_EQ(free.Take(4), 6u);
  EXPECT_EQ(free.free_bytes(), 0u);
}

TEST(FreeRangesTest, NeighboursMerge) {
  FreeRanges free(30);
  ASSERT_EQ(free.Take(30), 0u);
  free.Add(0, 10);
  free.Add(20, 10);
  EXPECT_EQ(free.Take(20), std::nullopt);
  free.Add(10, 10);
  EXPECT_EQ(free.Take(30), 0u);
}

// Against an array of bytes.
TEST(FreeRangesTest, RandomUseAgreesWithABitmap) {
  constexpr uint64_t kSize = 256;
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    FreeRanges free(kSize);
    std::vector<bool> taken(kSize);
    std::vector<std::pair<uint64_t, uint64_t>> out;
    for (int step = 0; step < 500; ++step) {
      if (random() % 2 == 0 || out.empty()) {
        const uint64_t length = 1 + random() % 40;
        std::optional<uint64_t> expected;
        for (uint64_t at = 0; at + length <= kSize && !expected.has_value(); ++at) {
          bool all = true;
          for (uint64_t i = 0; i < length; ++i) all = all && !taken[at + i];
          if (all) expected = at;
        }
        ASSERT_EQ(free.Take(length), expected);
        if (!expected.has_value()) continue;
        for (uint64_t i = 0; i < length; ++i) taken[*expected + i] = true;
        out.emplace_back(*expected, length);
      } else {
        std::swap(out[random() % out.size()], out.back());
        const auto [offset, length] = out.back();
        out.pop_back();
        free.Add(offset, length);
        for (uint64_t i = 0; i < length; ++i) taken[offset + i] = false;
      }
      ASSERT_EQ(free.free_bytes(), static_cast<uint64_t>(std::count(taken.begin(), taken.end(), false)));
    }
  }
}

}  // namespace
}  // namespace pagewire::transport::testing
