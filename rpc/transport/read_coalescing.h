// How much of a payload should have come before a connection reads on. A reader that is faster than its sender is woken
// for every segment, and spends on waking and asking what it could spend on moving bytes; where much is sure to come it
// may as well wait until there is more. (What network cards do with interrupts.)
#pragma once

#include <algorithm>
#include <cstdint>

namespace pagewire::transport {

// Pure: told what happened, never looks at a clock. One thread.
class ReadCoalescing {
 public:
  // How many bytes to wait for when all that was there has been read and `sure` more are on their way; 1: read whatever
  // comes. Of little nothing is waited for: then the sender would soon wait in its turn, for answers.
  uint64_t Next(uint64_t sure) const { return paused_ == 0 && sure >= kWorthIt ? kBytes : 1; }

  void OnRead(uint64_t bytes) { paused_ -= std::min(paused_, bytes); }

  // What was waited for has not come in time: from a sender or a network so slow there is nothing to be gained, and
  // other frames behind these bytes should not wait for them.
  void OnLate() { paused_ = kPause; }

  // Measured: docs/benchmarks/transfers.md. More than a quarter of the window would make the acknowledgements late.
  static constexpr uint64_t kBytes = 512 << 10;
  static constexpr uint64_t kWorthIt = 2 * kBytes;
  static constexpr uint64_t kPause = 8 << 20;

 private:
  uint64_t paused_ = 0;  // so many bytes are read as they come
};

}  // namespace pagewire::transport
