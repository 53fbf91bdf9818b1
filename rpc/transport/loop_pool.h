// The few loops that a process shares.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "transport/epoll_loop.h"

namespace pagewire::transport {

// Thread-safe.
class LoopPool {
 public:
  // The process's pool: one loop per hardware thread, at least 1 and at most 4 (a loop moves several GB/s; more of
  // them only add threads). Started by the first call and never stopped, so that streams may be destroyed as late as
  // in static destructors. Ends the process with a message when not even one loop can be started.
  static LoopPool& Default();

  // `loops` must not be empty.
  explicit LoopPool(std::vector<std::unique_ptr<EpollLoop>> loops);
  LoopPool(const LoopPool&) = delete;
  LoopPool& operator=(const LoopPool&) = delete;

  // The loops in turn. Each lives as long as the pool.
  EpollLoop& Next();

  size_t size() const { return loops_.size(); }

 private:
  const std::vector<std::unique_ptr<EpollLoop>> loops_;
  std::atomic<size_t> next_{0};
};

}  // namespace pagewire::transport
