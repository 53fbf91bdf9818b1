// The receiving side of the floor.
#pragma once

#include <cstddef>
#include <cstdint>

#include "floor.h"
#include "floor_socket.h"
#include "harness/bytes.h"

namespace pagewire::bench {

// Takes payloads, by mapping or by copying into one buffer, acknowledging each. The connection, which it closes, is of
// FloorConnect or FloorAccept.
class FloorReceiver {
 public:
  FloorReceiver(const FloorOptions& options, int fd);
  FloorReceiver(const FloorReceiver&) = delete;
  FloorReceiver& operator=(const FloorReceiver&) = delete;
  ~FloorReceiver();

  // One payload. False: the sender has gone before the next. Ends the process if a payload is not what it should be.
  bool Next();

 private:
  // Takes `size` bytes, whole pages, and sets how many of them are not acknowledged. What cannot be mapped is read.
  bool Map(size_t size, size_t& owed, ByteReader& reader);
  bool Copy(size_t size, ByteReader& reader);
  bool Acknowledge(size_t bytes);

  const FloorOptions options_;
  const int fd_;
  const size_t block_bytes_;
  const FloorMemory memory_;
  const size_t mapped_bytes_;  // of each payload, at most
  char* arena_ = nullptr;
};

}  // namespace pagewire::bench
