// Bare sockets and memory, as the sender and the receiver of the floor use them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace pagewire::bench {

// What goes before each payload.
struct FloorHeader {
  uint64_t payload_bytes = 0;
  char filler[56] = {};  // about what an RPC's frames take
};

// What comes back: once for each payload, and while pages are mapped once for each MiB too. Segments are cut where
// TCP's window ends, and a page that is cut cannot be mapped; so a sender without a copy must not run into it.
struct FloorAck {
  uint64_t bytes = 0;  // taken since the last one
};
inline constexpr size_t kFloorAckBytes = 1 << 20;
inline constexpr size_t kFloorWindowBytes = 2 << 20;

// What one send takes, so that completions come while the rest is sent: the framework's chunk.
inline constexpr size_t kFloorChunkBytes = 256 << 10;

[[noreturn]] void FloorDie(const char* what);

// All are arranged as the framework's: segments of whole pages, no Nagle, cubic, a receive buffer above the window.
// Not `tuned`: as the system makes them, but without Nagle.
int FloorTcpSocket(bool tuned);
int FloorListen(int& port, bool tuned);
int FloorConnect(int port, bool tuned);
int FloorAccept(int listener, bool tuned);

// All of them, or false: the connection has ended.
bool FloorSendAll(int fd, const void* data, size_t size, int flags);
bool FloorSendAll(int fd, const void* first, size_t first_size, const void* second, size_t second_size);
bool FloorReceiveAll(int fd, void* data, size_t size);

// Page-aligned; huge pages for what is large, as in the framework's pool.
struct FloorFree {
  void operator()(char* memory) const;
};
using FloorMemory = std::unique_ptr<char[], FloorFree>;
FloorMemory MakeFloorMemory(size_t size);

}  // namespace pagewire::bench
