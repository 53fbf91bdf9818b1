// What the kernel says about MSG_ZEROCOPY sends, on a socket's error queue.
#pragma once

#include <cstdint>

namespace pagewire::transport {

// The kernel holds no memory any more of the sends numbered `first` to `last`, modulo 2^32, both included.
struct ZerocopyCompletion {
  uint32_t first = 0;
  uint32_t last = 0;
  bool copied = false;  // the kernel made a copy of its own, so nothing was saved
};

// Takes the next completion from the error queue of `fd`; false when there is none. Other messages there are dropped.
bool NextZerocopyCompletion(int fd, ZerocopyCompletion& completion);

}  // namespace pagewire::transport
