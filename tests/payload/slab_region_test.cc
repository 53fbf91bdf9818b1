#include "payload/slab_region.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace pagewire::memory {
namespace {

constexpr size_t kSlabs = 64;

class SlabRegionTest : public ::testing::Test {
 protected:
  Slab& Grow(size_t count) { return **region_.Grow(count); }

  SlabRegion region_{kSlabs * kSlabBytes, AddressRange::Pages::kOrdinary};
};

TEST_F(SlabRegionTest, SlabsAreAlignedToTheirSize) {
  Slab& slab = Grow(3);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(region_.address(slab)) % kSlabBytes, 0u);
  EXPECT_EQ(&region_.SlabAt(region_.address(slab) + 2 * kSlabBytes), &region_.At(2));
  EXPECT_EQ(&region_.SlabAt(region_.address(slab) + kSlabBytes - 1), &slab);
}

TEST_F(SlabRegionTest, NothingIsFreeAtFirst) { EXPECT_EQ(region_.TakeFree(1), nullptr); }

TEST_F(SlabRegionTest, TheLowestGapThatIsLongEnoughIsTaken) {
  Grow(20);
  region_.Put(region_.At(2), 1);
  region_.Put(region_.At(5), 3);
  region_.Put(region_.At(12), 5);
  EXPECT_EQ(region_.TakeFree(2), &region_.At(5));
  EXPECT_EQ(region_.TakeFree(2), &region_.At(12));
  EXPECT_EQ(region_.TakeFree(1), &region_.At(2));
  EXPECT_EQ(region_.TakeFree(4), nullptr);
  EXPECT_EQ(region_.TakeFree(3), &region_.At(14));
}

TEST_F(SlabRegionTest, GapsGrowTogether) {
  Grow(10);
  region_.Put(region_.At(2), 2);
  region_.Put(region_.At(6), 2);
  region_.Put(region_.At(4), 2);  // between both
  EXPECT_EQ(region_.TakeFree(7), nullptr);
  EXPECT_EQ(region_.TakeFree(6), &region_.At(2));
}

TEST_F(SlabRegionTest, ASlabCanBeTakenOutOfTheMiddle) {
  Grow(10);
  region_.Put(region_.At(2), 5);
  region_.TakeOut(region_.At(4));
  EXPECT_EQ(region_.TakeFree(3), nullptr);
  region_.Put(region_.At(4), 1);
  region_.TakeOut(region_.At(2));
  region_.TakeOut(region_.At(6));
  EXPECT_EQ(region_.TakeFree(3), &region_.At(3));
  EXPECT_EQ(region_.TakeFree(1), nullptr);
}

TEST_F(SlabRegionTest, AGapAtTheEndIsTheStartOfTheNextGrowth) {
  Grow(10);
  region_.Put(region_.At(8), 2);
  EXPECT_EQ(Grow(5).number, 8u);
  EXPECT_EQ(Grow(1).number, 13u);
}

TEST_F(SlabRegionTest, ExactlyAllOfItCanBeUsed) {
  EXPECT_EQ(region_.range().size(), kSlabs * kSlabBytes);
  Grow(kSlabs - 1);
  const absl::Status refused = region_.Grow(2).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refused.message(),
            "the pool's 134217728 bytes of addresses for blocks of this kind have no room for it; release payloads, or "
            "raise the limit on address space (ulimit -v) if there is one");
  EXPECT_TRUE(region_.Grow(1).ok());
  EXPECT_FALSE(region_.Grow(1).ok());
  EXPECT_FALSE(region_.Grow(SIZE_MAX).ok());
  EXPECT_FALSE(region_.Grow(SIZE_MAX / kSlabBytes + 1).ok());
}

// Against a row of flags.
TEST_F(SlabRegionTest, RandomTakesAndPutsNeverOverlapOrGetLost) {
  std::mt19937 random(1);
  std::vector<bool> taken(kSlabs, false);
  std::vector<std::pair<size_t, size_t>> runs;
  const auto longest_gap = [&] {
    size_t longest = 0;
    size_t length = 0;
    for (const bool used : taken) longest = std::max(longest, length = used ? 0 : length + 1);
    return longest;
  };
  for (int step = 0; step < 20000; ++step) {
    if (random() % 2 == 0) {
      const size_t count = 1 + random() % 8;
      Slab* first = region_.TakeFree(count);
      if (first == nullptr) {
        if (const auto grown = region_.Grow(count); grown.ok()) first = *grown;
      }
      ASSERT_EQ(first != nullptr, longest_gap() >= count);
      if (first == nullptr) continue;
      for (size_t i = 0; i < count; ++i) {
        ASSERT_FALSE(taken[first->number + i]);
        taken[first->number + i] = true;
      }
      runs.emplace_back(first->number, count);
    } else if (!runs.empty()) {
      std::swap(runs[random() % runs.size()], runs.back());
      const auto [first, count] = runs.back();
      runs.pop_back();
      for (size_t i = 0; i < count; ++i) taken[first + i] = false;
      region_.Put(region_.At(first), count);
    }
  }
}

}  // namespace
}  // namespace pagewire::memory
