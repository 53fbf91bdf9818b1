#include "client/lookup_schedule.h"

#include <gtest/gtest.h>

#include "transport/manual_loop.h"

namespace pagewire::client {
namespace {

class LookupScheduleTest : public testing::Test {
 protected:
  void Advance(absl::Duration duration) { loop_.AdvanceTime(duration); }

  transport::ManualLoop loop_;
  int looks_ = 0;
  // Without jitter: 0.8 + 0.4 * 0.5 is one.
  LookupSchedule schedule_{loop_, absl::Seconds(30), Backoff(absl::Seconds(1), absl::Seconds(2), [] { return 0.5; }),
                           [this] { ++looks_; }};
};

TEST_F(LookupScheduleTest, TheFirstLookupIsAtOnce) {
  EXPECT_EQ(looks_, 0);
  schedule_.Refresh();
  EXPECT_EQ(looks_, 1);
}

TEST_F(LookupScheduleTest, NothingIsLookedUpTwiceAtATime) {
  schedule_.Refresh();
  schedule_.Refresh();
  Advance(absl::Hours(1));
  schedule_.Refresh();
  EXPECT_EQ(looks_, 1);
  schedule_.Ended(true);
  Advance(absl::Hours(1));
  EXPECT_EQ(looks_, 1);
}

TEST_F(LookupScheduleTest, BetweenBeginningsIsTheLeastInterval) {
  schedule_.Refresh();
  Advance(absl::Seconds(10));
  schedule_.Ended(true);
  schedule_.Refresh();
  schedule_.Refresh();
  Advance(absl::Seconds(19));
  EXPECT_EQ(looks_, 1);
  Advance(absl::Seconds(1));
  EXPECT_EQ(looks_, 2);
  schedule_.Ended(true);
  Advance(absl::Seconds(30));
  EXPECT_EQ(looks_, 2);
  schedule_.Refresh();
  EXPECT_EQ(looks_, 3);
}

TEST_F(LookupScheduleTest, FailuresAreFollowedByLookupsFurtherAndFurtherApart) {
  schedule_.Refresh();
  schedule_.Ended(false);
  schedule_.Refresh();  // does not make it sooner
  Advance(absl::Milliseconds(999));
  EXPECT_EQ(looks_, 1);
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(looks_, 2);
  schedule_.Ended(false);
  Advance(absl::Milliseconds(1599));
  EXPECT_EQ(looks_, 2);
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(looks_, 3);
  schedule_.Ended(false);
  Advance(absl::Seconds(2));
  EXPECT_EQ(looks_, 4);
}

TEST_F(LookupScheduleTest, SuccessEndsTheBackoff) {
  schedule_.Refresh();
  schedule_.Ended(false);
  Advance(absl::Seconds(1));
  schedule_.Ended(true);
  Advance(absl::Seconds(30));
  EXPECT_EQ(looks_, 2);
  schedule_.Refresh();
  schedule_.Ended(false);
  Advance(absl::Seconds(1));
  EXPECT_EQ(looks_, 4);
}

}  // namespace
}  // namespace pagewire::client
