#include "transport/loop_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace pagewire::transport {
namespace {

TEST(LoopPool, HandsItsLoopsOutInTurn) {
  std::vector<std::unique_ptr<EpollLoop>> loops;
  loops.reserve(3);
  for (int i = 0; i < 3; ++i) loops.push_back(*EpollLoop::Create());
  EpollLoop* const first = loops[0].get();
  EpollLoop* const last = loops[2].get();
  LoopPool pool(std::move(loops));
  EXPECT_EQ(&pool.Next(), first);
  pool.Next();
  EXPECT_EQ(&pool.Next(), last);
  EXPECT_EQ(&pool.Next(), first);
}

TEST(LoopPool, TheDefaultPoolIsOneAndSmall) {
  LoopPool& pool = LoopPool::Default();
  EXPECT_EQ(&pool, &LoopPool::Default());
  EXPECT_EQ(pool.size(), std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 4));
}

}  // namespace
}  // namespace pagewire::transport
