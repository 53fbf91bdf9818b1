// The sending side of the floor.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "floor.h"
#include "floor_socket.h"

namespace pagewire::bench {

// Sends one payload after the other, each from a buffer of its own, or all through one block. The connection, which
// it closes, is of FloorConnect or FloorAccept.
class FloorSender {
 public:
  FloorSender(const FloorOptions& options, int fd);
  FloorSender(const FloorSender&) = delete;
  FloorSender& operator=(const FloorSender&) = delete;
  ~FloorSender();

  // One payload; then waits until at most inflight - 1 are unacknowledged. False: the receiver has gone.
  bool Next();

  uint64_t acknowledged() const { return acknowledged_bytes_ / options_.payload_bytes; }

 private:
  bool TakeAck();
  bool Send(const char* data, size_t size, const FloorHeader* header);
  bool SendSpliced(const char* data, size_t size);
  void Register();
  bool SendFixed(const char* data, size_t size);
  // One completion; true if it is a result and not a notification.
  bool TakeOne(int* result);
  void TakeCompletions(bool all);
  void AwaitEmptyQueue() const;

  const FloorOptions options_;
  const int fd_;
  std::vector<FloorMemory> buffers_;
  FloorHeader header_;
  int pipe_[2] = {-1, -1};
  io_uring ring_ = {};
  uint64_t outstanding_ = 0;  // sends that the kernel has not let go of
  uint64_t sent_ = 0;
  uint64_t sent_bytes_ = 0;
  uint64_t acknowledged_bytes_ = 0;
};

}  // namespace pagewire::bench
