#include <dirent.h>
#include <gtest/gtest.h>
#include <pagewire/executor.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/latch.h"

namespace pagewire {
namespace {

using testing::Latch;

// How many threads of this process have the name.
int CountThreads(const std::string& name) {
  int count = 0;
  DIR* tasks = opendir("/proc/self/task");
  while (const dirent* entry = readdir(tasks)) {
    std::ifstream comm(std::string("/proc/self/task/") + entry->d_name + "/comm");
    std::string found;
    if (std::getline(comm, found) && found == name) ++count;
  }
  closedir(tasks);
  return count;
}

void WaitForThreads(const std::string& name, int count) {
  while (CountThreads(name) != count) std::this_thread::yield();
}

TEST(ThreadPoolTest, RunsOutsideTheCallOnAnotherThread) {
  const auto pool = MakeThreadPool();
  Latch ran;
  std::thread::id runner;
  pool->Run([&] {
    runner = std::this_thread::get_id();
    ran.CountDown();
  });
  ran.Wait();
  EXPECT_NE(runner, std::this_thread::get_id());
}

TEST(ThreadPoolTest, BlockedTasksDoNotStopOthersBelowTheMaximum) {
  ThreadPoolOptions options;
  options.max_threads = 50;
  const auto pool = MakeThreadPool(options);
  Latch release;
  Latch all_blocked(49);
  for (int i = 0; i < 49; ++i) {
    pool->Run([&] {
      all_blocked.CountDown();
      release.Wait();
    });
  }
  all_blocked.Wait();
  Latch last;
  pool->Run([&] { last.CountDown(); });
  last.Wait();
  release.CountDown();
}

TEST(ThreadPoolTest, ATaskThatWaitsForTheNextOneGetsIt) {
  const auto pool = MakeThreadPool();
  for (int i = 0; i < 200; ++i) {
    Latch inner;
    Latch outer;
    pool->Run([&] {
      pool->Run([&] { inner.CountDown(); });
      inner.Wait();
      outer.CountDown();
    });
    outer.Wait();
  }
}

TEST(ThreadPoolTest, AtTheMaximumTasksWaitInOrder) {
  ThreadPoolOptions options;
  options.max_threads = 1;
  const auto pool = MakeThreadPool(options);
  Latch started;
  Latch release;
  Latch done(100);
  std::vector<int> order;  // one thread at a time
  pool->Run([&] {
    started.CountDown();
    release.Wait();
  });
  started.Wait();
  for (int i = 0; i < 100; ++i) {
    pool->Run([&, i] {
      order.push_back(i);
      done.CountDown();
    });
  }
  EXPECT_TRUE(order.empty());
  release.CountDown();
  done.Wait();
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

TEST(ThreadPoolTest, StartsTheMinimumAndReturnsToIt) {
  ThreadPoolOptions options;
  options.min_threads = 2;
  options.idle_timeout = absl::Milliseconds(1);
  options.thread_name = "shrinking-pool-with-a-long-name";
  const std::string name = "shrinking-pool-";
  auto pool = MakeThreadPool(options);
  WaitForThreads(name, 2);
  Latch release;
  Latch blocked(20);
  for (int i = 0; i < 20; ++i) {
    pool->Run([&] {
      blocked.CountDown();
      release.Wait();
    });
  }
  blocked.Wait();
  EXPECT_EQ(CountThreads(name), 20);
  release.CountDown();
  WaitForThreads(name, 2);
  Latch still_works;
  pool->Run([&] { still_works.CountDown(); });
  still_works.Wait();
  pool.reset();
  WaitForThreads(name, 0);
}

TEST(ThreadPoolTest, DestructionRunsWhatWaits) {
  std::atomic<int> ran = 0;
  ThreadPoolOptions options;
  options.max_threads = 2;
  auto pool = MakeThreadPool(options);
  for (int i = 0; i < 1000; ++i) pool->Run([&] { ++ran; });
  pool.reset();
  EXPECT_EQ(ran, 1000);
}

TEST(ThreadPoolTest, ATaskMayDropThePoolItRunsOn) {
  auto pool = MakeThreadPool();
  Latch dropped;
  Latch may_drop;
  Executor& executor = *pool;
  executor.Run([&dropped, &may_drop, pool = std::move(pool)]() mutable {
    may_drop.Wait();
    pool.reset();
    dropped.CountDown();
  });
  may_drop.CountDown();
  dropped.Wait();
}

TEST(ThreadPoolTest, WhatATaskOwnsIsDestroyedBeforeThePoolIs) {
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = owned;
  auto pool = MakeThreadPool();
  pool->Run([owned = std::move(owned)] {});
  pool.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(ThreadPoolTest, ManyThreadsAddTasks) {
  const auto pool = MakeThreadPool();
  std::atomic<int> ran = 0;
  Latch done(8 * 500);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        pool->Run([&] {
          ++ran;
          done.CountDown();
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  done.Wait();
  EXPECT_EQ(ran, 4000);
}

TEST(ThreadPoolTest, ImpossibleOptionsAreMadePossible) {
  ThreadPoolOptions options;
  options.min_threads = 0;
  options.max_threads = 0;
  const auto pool = MakeThreadPool(options);
  Latch ran;
  pool->Run([&] { ran.CountDown(); });
  ran.Wait();
}

TEST(DefaultExecutorTest, IsOnePerProcess) {
  EXPECT_EQ(&DefaultExecutor(), &DefaultExecutor());
  Latch ran;
  DefaultExecutor().Run([&] { ran.CountDown(); });
  ran.Wait();
}

}  // namespace
}  // namespace pagewire
