// The bytes of one trip to the kernel: frames from our own buffer, and payload ranges where they lie.
#pragma once

#include <pagewire/payload.h>
#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <vector>

#include "transport/byte_stream.h"
#include "transport/payload_cursor.h"

namespace pagewire::transport {

// Filled, then written until it is empty (which may take several writes), then filled again. Its memory is reused.
// Holds the payloads it refers to until everything is written.
class WriteBatch {
 public:
  // Frames are appended here, at the end of the batch. Valid until the next call of another function.
  std::string& head() { return head_; }

  // Appends the next `length` bytes of a payload, by reference. 0 < `length` <= cursor.remaining().
  void AppendPayload(PayloadCursor& cursor, uint64_t length);

  bool empty() const { return head_.empty() && segments_.empty(); }
  size_t bytes() const { return sealed_bytes_ + head_.size() - sealed_head_; }

  // Writes as much as the stream takes. kOk: the batch is empty now. kBlocked and kFailed as from ByteStream::Write.
  IoResult WriteTo(ByteStream& stream);

  // Forgets everything, for a connection that has died.
  void Clear();

 private:
  struct Segment {
    const char* data;  // null: in head_, at `offset`
    size_t offset;
    size_t size;
  };
  void SealHead();

  std::string head_;
  size_t sealed_head_ = 0;   // bytes of head_ that segments_ covers
  size_t sealed_bytes_ = 0;  // bytes that segments_ covers and that are not written yet
  std::vector<Segment> segments_;
  size_t first_ = 0;  // segments before it are written
  std::vector<Payload> held_;
  std::vector<iovec> iovecs_;
};

}  // namespace pagewire::transport
