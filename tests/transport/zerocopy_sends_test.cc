#include "transport/zerocopy_sends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace pagewire::transport::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint64_t> Complete(ZerocopySends& sends, uint32_t first, uint32_t last) {
  std::vector<uint64_t> tags;
  sends.Complete(first, last, [&](uint64_t tag, size_t) { tags.push_back(tag); });
  return tags;
}

TEST(ZerocopySendsTest, RangesNameSendsInAnyOrder) {
  ZerocopySends sends;
  for (uint64_t tag = 10; tag < 15; ++tag) sends.Register(tag);
  EXPECT_EQ(sends.outstanding(), 5u);
  EXPECT_THAT(Complete(sends, 3, 3), ElementsAre(13));
  EXPECT_THAT(Complete(sends, 0, 1), ElementsAre(10, 11));
  EXPECT_THAT(Complete(sends, 0, 3), ElementsAre(12)) << "each once";
  EXPECT_EQ(sends.outstanding(), 1u);
  EXPECT_THAT(Complete(sends, 4, 4), ElementsAre(14));
  EXPECT_THAT(Complete(sends, 5, 5), IsEmpty()) << "never sent";
  EXPECT_EQ(sends.outstanding(), 0u);
}

TEST(ZerocopySendsTest, AFailedSendGetsNoNumber) {
  ZerocopySends sends;
  sends.Register(1);
  sends.Register(2);
  sends.Undo();
  sends.Register(3);
  sends.SetBytes(77);
  size_t bytes = 0;
  sends.Complete(1, 1, [&](uint64_t tag, size_t size) {
    EXPECT_EQ(tag, 3u);
    bytes = size;
  });
  EXPECT_EQ(bytes, 77u);
  EXPECT_EQ(sends.outstanding(), 1u);
}

TEST(ZerocopySendsTest, NumbersWrapAround) {
  ZerocopySends sends(0xffff'fffd);
  for (uint64_t tag = 1; tag <= 6; ++tag) sends.Register(tag);  // ...fd, fe, ff, 0, 1, 2
  EXPECT_THAT(Complete(sends, 0xffff'fffe, 0), ElementsAre(2, 3, 4));
  EXPECT_THAT(Complete(sends, 2, 2), ElementsAre(6));
  EXPECT_THAT(Complete(sends, 0xffff'fffd, 2), ElementsAre(1, 5));
  EXPECT_EQ(sends.outstanding(), 0u);
  sends.Register(7);
  EXPECT_THAT(Complete(sends, 3, 3), ElementsAre(7));
}

TEST(ZerocopySendsTest, AcrossTheWrapAgainAndAgain) {
  ZerocopySends sends(0xffff'0000);
  uint32_t next = 0xffff'0000;
  for (uint64_t tag = 0; tag < 200'000; ++tag) {
    sends.Register(tag);
    if (tag % 7 != 6) continue;
    ASSERT_THAT(Complete(sends, next, next + 6),
                ElementsAre(tag - 6, tag - 5, tag - 4, tag - 3, tag - 2, tag - 1, tag));
    next += 7;
  }
}

}  // namespace
}  // namespace pagewire::transport::testing
