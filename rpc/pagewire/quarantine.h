// Memory of ours that a dead connection's kernel may still look at.
#pragma once

#include <cstdint>

namespace pagewire {

// Payload bytes that were handed to the kernel without a copy on connections that have died since, and that it has not
// let go of. They go back by themselves once it has; no time alone frees them. 0 nearly always: it takes a device that
// keeps what it was given to send. While they are more than 64 MiB, new connections send by copying (`policy`).
// Thread-safe.
uint64_t QuarantinedBytes();

}  // namespace pagewire
