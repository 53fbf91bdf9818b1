// Two connected streams inside one process: a transport without the kernel.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "transport/byte_stream.h"
#include "transport/loop.h"

namespace pagewire::transport {

struct InProcessOptions {
  // How many bytes each direction buffers before its writer is blocked; at least 1. 256 KiB: what a default TCP socket
  // takes at once.
  size_t buffer_bytes = 256 << 10;
};

// The first end lives on `a`, the second on `b`, which may be the same loop or loops in different threads, and which
// outlive the ends. Closing, half-closing and aborting have TCP's meaning, without its delays: what one end did, the
// other's next call sees.
std::pair<std::unique_ptr<ByteStream>, std::unique_ptr<ByteStream>> MakeInProcessPair(Loop& a, Loop& b,
                                                                                      InProcessOptions options = {});

}  // namespace pagewire::transport
