#include "base/log_quota.h"

#include <gtest/gtest.h>

namespace pagewire::base {
namespace {

TEST(LogQuota, SoManyInASecondAndTheRestIsCounted) {
  LogQuota quota(2);
  const absl::Time begin = absl::FromUnixSeconds(1000);
  uint64_t suppressed = 99;
  EXPECT_TRUE(quota.Take(begin, suppressed));
  EXPECT_EQ(suppressed, 0u);
  EXPECT_TRUE(quota.Take(begin + absl::Milliseconds(10), suppressed));
  EXPECT_FALSE(quota.Take(begin + absl::Milliseconds(20), suppressed));
  EXPECT_FALSE(quota.Take(begin + absl::Milliseconds(999), suppressed));
  EXPECT_TRUE(quota.Take(begin + absl::Milliseconds(1000), suppressed));
  EXPECT_EQ(suppressed, 2u);
  EXPECT_TRUE(quota.Take(begin + absl::Milliseconds(1001), suppressed));
  EXPECT_EQ(suppressed, 0u);
}

}  // namespace
}  // namespace pagewire::base
