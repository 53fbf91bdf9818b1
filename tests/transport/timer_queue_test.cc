#include "transport/timer_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

namespace pagewire::transport {
namespace {

using ::testing::ElementsAre;

absl::Time At(int second) { return absl::UnixEpoch() + absl::Seconds(second); }

TEST(TimerQueue, RunsByTimeThenByAge) {
  TimerQueue timers;
  std::vector<int> order;
  timers.Add(At(2), [&] { order.push_back(3); });
  timers.Add(At(1), [&] { order.push_back(1); });
  timers.Add(At(1), [&] { order.push_back(2); });
  timers.Add(At(3), [&] { order.push_back(4); });
  EXPECT_EQ(timers.next_due(), At(1));
  timers.RunDue(At(2));
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  EXPECT_EQ(timers.next_due(), At(3));
  timers.RunDue(At(3));
  EXPECT_TRUE(timers.empty());
  EXPECT_EQ(timers.next_due(), absl::InfiniteFuture());
}

TEST(TimerQueue, TimersAddedWhileRunningWaitForTheNextRound) {
  TimerQueue timers;
  int runs = 0;
  std::function<void()> renew = [&] {
    ++runs;
    timers.Add(At(1), renew);
  };
  timers.Add(At(1), renew);
  timers.RunDue(At(1));
  EXPECT_EQ(runs, 1);
  timers.RunDue(At(1));
  EXPECT_EQ(runs, 2);
}

TEST(TimerQueue, ATimerMayCancelOthersAndItself) {
  TimerQueue timers;
  int runs = 0;
  Loop::TimerId first = 0, second = 0;
  first = timers.Add(At(1), [&] {
    ++runs;
    timers.Cancel(first);
    timers.Cancel(second);
  });
  second = timers.Add(At(1), [&] { ++runs; });
  timers.RunDue(At(9));
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(timers.empty());
}

TEST(TimerQueue, IdsOfTimersThatAreGoneAreIgnored) {
  TimerQueue timers;
  int runs = 0;
  const auto cancelled = timers.Add(At(1), [&] { ++runs; });
  timers.Cancel(cancelled);
  const auto second = timers.Add(At(1), [&] { ++runs; });
  EXPECT_NE(second, cancelled);
  timers.Cancel(cancelled);
  timers.Cancel(0);
  timers.Cancel(Loop::TimerId{1} << 60);
  timers.RunDue(At(1));
  EXPECT_EQ(runs, 1);
  timers.Add(At(1), [&] { ++runs; });
  timers.Cancel(second);  // has run
  timers.RunDue(At(1));
  EXPECT_EQ(runs, 2);
}

TEST(TimerQueue, ManyThatComeAndGoKeepTheirOrder) {
  struct Timer {
    Loop::TimerId id;
    int due;
    bool cancelled;
  };
  TimerQueue timers;
  std::vector<Timer> all;
  std::vector<int> ran;
  uint32_t random = 1;
  for (int i = 0; i < 20'000; ++i) {
    random = random * 1664525 + 1013904223;
    const int due = static_cast<int>(random >> 20);
    all.push_back({timers.Add(At(due), [&ran, i] { ran.push_back(i); }), due, false});
    // Nine of ten go before they are due.
    if (random % 10 != 0) {
      Timer& gone = all[random / 10 % all.size()];
      timers.Cancel(gone.id);
      gone.cancelled = true;
    }
  }
  std::vector<int> expected;
  for (int i = 0; i < static_cast<int>(all.size()); ++i) {
    if (!all[i].cancelled) expected.push_back(i);
  }
  std::stable_sort(expected.begin(), expected.end(), [&](int a, int b) { return all[a].due < all[b].due; });
  EXPECT_EQ(timers.next_due(), At(all[expected.front()].due));
  timers.RunDue(At(2'000));
  const size_t before = ran.size();
  EXPECT_GT(before, 0u);
  timers.RunDue(absl::InfiniteFuture());
  EXPECT_GT(ran.size(), before);
  EXPECT_EQ(ran, expected);
  EXPECT_TRUE(timers.empty());
  EXPECT_EQ(timers.next_due(), absl::InfiniteFuture());
}

// Comes back to the queue when it is destroyed.
struct Nested {
  explicit Nested(TimerQueue* queue, int remaining_levels) : timers(queue), levels(remaining_levels) {}
  ~Nested() {
    if (levels > 0) timers->Add(At(1), [inner = std::make_unique<Nested>(timers, levels - 1)] {});
  }
  TimerQueue* timers;
  int levels;
};

TEST(TimerQueue, TasksMayComeBackFromTheirDestructors) {
  TimerQueue timers;
  const auto id = timers.Add(At(1), [nested = std::make_unique<Nested>(&timers, 3)] {});
  timers.Cancel(id);
  EXPECT_FALSE(timers.empty());
  timers.Clear();
  EXPECT_TRUE(timers.empty());
}

}  // namespace
}  // namespace pagewire::transport
