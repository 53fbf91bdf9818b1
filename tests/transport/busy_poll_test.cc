#include "transport/busy_poll.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace pagewire::transport {
namespace {

constexpr absl::Duration kLimit = absl::Microseconds(50);
constexpr absl::Duration kSoon = absl::Microseconds(20);
constexpr absl::Duration kLate = absl::Milliseconds(1);

// Sleeps that end soon until it polls; how many it took.
int SleepUntilItPolls(BusyPoll& poll) {
  int sleeps = 0;
  while (poll.Next() == absl::ZeroDuration()) {
    poll.OnSlept(kSoon);
    if (++sleeps == 100'000) break;
  }
  return sleeps;
}

TEST(BusyPollTest, SleepsAtFirst) { EXPECT_EQ(BusyPoll(kLimit).Next(), absl::ZeroDuration()); }

TEST(BusyPollTest, PollsWhenNewsHasComeSoonSeveralTimesInARow) {
  BusyPoll poll(kLimit);
  for (int i = 0; i < 7; ++i) poll.OnSlept(kSoon);
  poll.OnSlept(kLate);
  EXPECT_EQ(SleepUntilItPolls(poll), 8);
  EXPECT_EQ(poll.Next(), kLimit);
  for (int i = 0; i < 1000; ++i) poll.OnPolled(true);
  EXPECT_EQ(poll.Next(), kLimit) << "as long as there is news";
}

TEST(BusyPollTest, NeverWhereNewsComesLate) {
  BusyPoll poll(kLimit);
  for (int i = 0; i < 10'000; ++i) poll.OnSlept(kLimit + absl::Nanoseconds(1));
  EXPECT_EQ(poll.Next(), absl::ZeroDuration());
}

// As on one processor: what is waited for happens only while the loop sleeps.
TEST(BusyPollTest, LessAndLessOftenWhereItIsInVain) {
  BusyPoll poll(kLimit);
  int before = 4;
  for (int i = 0; i < 8; ++i) {
    const int sleeps = SleepUntilItPolls(poll);
    EXPECT_EQ(sleeps, 2 * before);
    before = sleeps;
    poll.OnPolled(false);
    EXPECT_EQ(poll.Next(), absl::ZeroDuration()) << "at once";
  }
  EXPECT_EQ(SleepUntilItPolls(poll), 1024) << "and no less often than that";
}

// A burst of calls ends with one poll in vain; the next burst is polled for all the same.
TEST(BusyPollTest, BurstsArePolledFor) {
  BusyPoll poll(kLimit);
  for (int burst = 0; burst < 100; ++burst) {
    EXPECT_LE(SleepUntilItPolls(poll), 16);
    for (int i = 0; i < 100; ++i) poll.OnPolled(true);
    poll.OnPolled(false);
    poll.OnSlept(kLate);
  }
}

TEST(BusyPollTest, NeverWithALimitOfZero) {
  BusyPoll poll(absl::ZeroDuration());
  for (int i = 0; i < 10'000; ++i) poll.OnSlept(absl::ZeroDuration());
  EXPECT_EQ(poll.Next(), absl::ZeroDuration());
}

TEST(BusyPollLimitTest, IsWhatTheEnvironmentSays) {
  ASSERT_EQ(setenv("PAGEWIRE_BUSY_POLL_US", "7", 1), 0);
  EXPECT_EQ(BusyPollLimit(), absl::Microseconds(7));
}

}  // namespace
}  // namespace pagewire::transport
