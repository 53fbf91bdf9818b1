#include "transport/manual_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace pagewire::transport {
namespace {

using ::testing::ElementsAre;

TEST(ManualLoop, RunsTasksInOrderWhenTold) {
  ManualLoop loop;
  std::vector<int> order;
  loop.Post([&] {
    order.push_back(1);
    loop.Post([&] { order.push_back(3); });
  });
  loop.Post([&] { order.push_back(2); });
  EXPECT_TRUE(order.empty());
  EXPECT_TRUE(loop.RunOne());
  EXPECT_THAT(order, ElementsAre(1));
  EXPECT_EQ(loop.RunUntilIdle(), 2u);
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  EXPECT_FALSE(loop.RunOne());
}

TEST(ManualLoop, TimeStandsStillUnlessAdvanced) {
  ManualLoop loop;
  std::vector<int> order;
  const absl::Time start = loop.Now();
  loop.RunAfter(absl::Seconds(2), [&] {
    order.push_back(2);
    EXPECT_EQ(loop.Now(), start + absl::Seconds(2));
    loop.RunAfter(absl::Seconds(1), [&] { order.push_back(3); });
  });
  loop.RunAfter(absl::Seconds(1), [&] { order.push_back(1); });
  loop.RunAfter(absl::Seconds(10), [&] { order.push_back(4); });
  loop.RunUntilIdle();
  EXPECT_TRUE(order.empty());
  loop.AdvanceTime(absl::Seconds(3));
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
  EXPECT_EQ(loop.Now(), start + absl::Seconds(3));
  EXPECT_TRUE(loop.AdvanceToNextTimer());
  EXPECT_THAT(order, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(loop.Now(), start + absl::Seconds(10));
  EXPECT_FALSE(loop.AdvanceToNextTimer());
}

TEST(ManualLoop, CancelledTimersDoNotRun) {
  ManualLoop loop;
  const auto timer = loop.RunAfter(absl::Seconds(1), [] { FAIL(); });
  loop.CancelTimer(timer);
  loop.CancelTimer(timer);
  loop.AdvanceTime(absl::Hours(1));
}

TEST(ManualLoop, ItsThreadIsOnTheLoopAllTheTime) {
  ManualLoop loop;
  EXPECT_TRUE(loop.InLoop());
  EXPECT_FALSE(Loop::OnAnyLoop());
  loop.Post([] { EXPECT_TRUE(Loop::OnAnyLoop()); });
  loop.RunUntilIdle();
  EXPECT_FALSE(Loop::OnAnyLoop());
  std::thread([&] { EXPECT_FALSE(loop.InLoop()); }).join();
}

TEST(ManualLoop, TasksComeFromAnyThread) {
  ManualLoop loop;
  int ran = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) loop.Post([&] { ++ran; });
    });
  }
  while (ran < 400) loop.RunUntilIdle();
  for (auto& thread : threads) thread.join();
}

TEST(ManualLoop, DestructionDestroysWhatHasNotRun) {
  const auto token = std::make_shared<int>();
  {
    ManualLoop loop;
    // The last one posts from its destructor.
    struct Poster {
      explicit Poster(ManualLoop* target, std::shared_ptr<int> held) : loop(target), token(std::move(held)) {}
      ~Poster() {
        loop->Post([token = token] {});
      }
      ManualLoop* loop;
      std::shared_ptr<int> token;
    };
    loop.Post([token] { FAIL(); });
    loop.RunAfter(absl::ZeroDuration(), [token] { FAIL(); });
    loop.Post([poster = std::make_unique<Poster>(&loop, token)] { FAIL(); });
  }
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace pagewire::transport
