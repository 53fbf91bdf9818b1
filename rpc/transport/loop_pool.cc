#include "transport/loop_pool.h"

#include <algorithm>
#include <cassert>
#include <thread>
#include <utility>

#include "base/die.h"

namespace pagewire::transport {
namespace {

constexpr size_t kMostLoops = 4;

std::vector<std::unique_ptr<EpollLoop>> StartDefaultLoops() {
  const size_t wanted = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kMostLoops);
  std::vector<std::unique_ptr<EpollLoop>> loops;
  while (loops.size() < wanted) {
    auto loop = EpollLoop::Create();
    if (!loop.ok()) {
      if (!loops.empty()) break;
      base::Die(loop.status().ToString());
    }
    loops.push_back(*std::move(loop));
  }
  return loops;
}

}  // namespace

LoopPool& LoopPool::Default() {
  static LoopPool& pool = *new LoopPool(StartDefaultLoops());
  return pool;
}

LoopPool::LoopPool(std::vector<std::unique_ptr<EpollLoop>> loops) : loops_(std::move(loops)) {
  assert(!loops_.empty());
}

EpollLoop& LoopPool::Next() { return *loops_[next_.fetch_add(1, std::memory_order_relaxed) % loops_.size()]; }

}  // namespace pagewire::transport
