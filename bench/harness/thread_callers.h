// Callers of libraries whose calls block: a thread for each.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "harness/load.h"

namespace pagewire::bench {

// `make` runs on each of the threads and gives it its call, which is made and destroyed there, too. A call that gives
// false ends its thread; it has said why, by Recorder::Failed.
std::unique_ptr<Callers> StartThreads(int count, const std::function<std::function<bool()>()>& make);

// The same for calls that record nothing themselves: `bytes` of payload have arrived; false: `error` says why not.
using BlockingCall = std::function<bool(uint64_t& bytes, std::string& error)>;
std::unique_ptr<Callers> StartThreads(int count, Tally& tally, const std::function<BlockingCall()>& make);

// Divides calls in flight between threads: each asks once. Thread-safe.
class Shares {
 public:
  Shares(int calls, int threads) : calls_(calls), threads_(threads) {}
  int Next() {
    const int number = next_++;
    return calls_ / threads_ + (number < calls_ % threads_ ? 1 : 0);
  }

 private:
  const int calls_;
  const int threads_;
  std::atomic<int> next_ = 0;
};

}  // namespace pagewire::bench
