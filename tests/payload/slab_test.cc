#include "payload/slab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "payload/slab_region.h"

namespace pagewire::memory {
namespace {

using ::testing::ElementsAre;

class SlabTest : public ::testing::Test {
 protected:
  SlabRegion region_{kSlabBytes, AddressRange::Pages::kOrdinary};
  Slab slab_{region_, 0};
};

TEST_F(SlabTest, ANewSlabIsTakenFromItsStart) {
  slab_.Cut(0, kPageBytes);
  EXPECT_EQ(slab_.block_count(), kPagesPerSlab);
  EXPECT_EQ(slab_.Pop(), 0);
  EXPECT_EQ(slab_.Pop(), 1);
  EXPECT_EQ(slab_.idle_bytes, 0u);
}

TEST_F(SlabTest, WhatWasFreedLastIsTakenFirst) {
  slab_.Cut(8, kSlabBytes / 2);
  EXPECT_EQ(slab_.Pop(), 0);
  EXPECT_EQ(slab_.Pop(), 1);
  slab_.Push(0);
  slab_.Push(1);
  EXPECT_EQ(slab_.Pop(), 1);
  EXPECT_EQ(slab_.Pop(), 0);
}

TEST_F(SlabTest, OnlyBlocksThatWereUsedAreIdle) {
  slab_.Cut(7, kSlabBytes / 4);
  for (int i = 0; i < 3; ++i) slab_.Pop();
  slab_.Push(2);
  slab_.Push(0);
  EXPECT_EQ(slab_.idle_bytes, kSlabBytes / 2);
  EXPECT_THAT(slab_.TakeResident(), ElementsAre(2, 0));
  EXPECT_EQ(slab_.idle_bytes, 0u);
  EXPECT_THAT(slab_.free, ElementsAre(3));
}

TEST_F(SlabTest, BlocksGivenBackAreTakenLast) {
  slab_.Cut(7, kSlabBytes / 4);
  for (int i = 0; i < 4; ++i) slab_.Pop();
  slab_.Push(3);
  const auto retired = slab_.TakeResident();
  slab_.Push(1);  // freed while the pages of 3 were given back
  slab_.PutGivenBack(retired);
  EXPECT_EQ(slab_.idle_bytes, kSlabBytes / 4);
  EXPECT_EQ(slab_.Pop(), 1);
  EXPECT_EQ(slab_.idle_bytes, 0u);
  EXPECT_EQ(slab_.Pop(), 3);
  EXPECT_EQ(slab_.idle_bytes, 0u);
}

TEST_F(SlabTest, ResidentAsAWholeAfterItWasCut) {
  slab_.Cut(0, kPageBytes);
  slab_.Push(slab_.Pop());
  ASSERT_TRUE(slab_.all_free());
  slab_.Uncut();
  EXPECT_FALSE(slab_.is_cut());
  EXPECT_EQ(slab_.idle_bytes, kSlabBytes);
  slab_.Cut(8, kSlabBytes / 2);
  slab_.Pop();
  EXPECT_EQ(slab_.idle_bytes, kSlabBytes / 2);
}

TEST_F(SlabTest, ListKeepsOrder) {
  Slab b(region_, 1);
  Slab c(region_, 2);
  SlabList<&Slab::in_idle> list;
  EXPECT_FALSE(list.Contains(&slab_));
  list.PushNewest(&slab_);
  EXPECT_TRUE(list.Contains(&slab_));
  list.PushNewest(&b);
  list.PushOldest(&c);
  EXPECT_EQ(list.newest(), &b);
  EXPECT_EQ(list.oldest(), &c);
  list.Remove(&slab_);
  EXPECT_FALSE(list.Contains(&slab_));
  EXPECT_EQ(b.in_idle.older, &c);
  EXPECT_EQ(c.in_idle.newer, &b);
  list.Remove(&c);
  list.Remove(&b);
  EXPECT_EQ(list.newest(), nullptr);
  EXPECT_EQ(list.oldest(), nullptr);
}

}  // namespace
}  // namespace pagewire::memory
