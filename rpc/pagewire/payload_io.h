// Payloads to files and back, without a copy where the file allows it.
#pragma once

#include <pagewire/payload.h>
#include <pagewire/payload_buffer.h>

#include <absl/status/status.h>

#include <cstdint>

namespace pagewire {

// Both functions block, use `fd` at the offsets they are given (its position does not move), do not own it, and may be
// called from any thread but the library's loops. They look at how it was opened: with O_DIRECT, `offset` must be a
// multiple of 4096, and whole pages go between the payload's memory and the device where they lie in whole pages, as
// those of buffers and of received payloads do; others by way of aligned memory.
//
// Errors, with what was to be done and the offset: INVALID_ARGUMENT for an offset that O_DIRECT does not allow,
// and for writing with O_APPEND; OUT_OF_RANGE for a range that no file can have; otherwise what the kernel said,
// translated by absl::ErrnoToStatus: RESOURCE_EXHAUSTED when the device is full or there is no memory,
// FAILED_PRECONDITION for a descriptor that is not open for this, UNKNOWN for an I/O error.

struct FileWriteOptions {
  // Up to 8 writes of up to 1 MiB at a time, through io_uring, instead of one after the other. UNIMPLEMENTED where the
  // kernel does not let this process have a ring.
  bool io_uring = false;

  // The call returns when what was written, and the file's size, are on stable storage (fdatasync), so that a response
  // may say so.
  bool durable = false;
};

// Writes all of the payload to [offset, offset + payload.size()). With O_DIRECT the last page is filled up with zeros:
// what the file had between the end of the payload and the end of that page is gone; the file does not become longer by
// it. After an error it is unspecified which of the bytes have been written.
absl::Status WriteToFile(const Payload& payload, int fd, uint64_t offset,
                         const FileWriteOptions& options = FileWriteOptions());

// Fills all of the buffer from [offset, offset + buffer.size()). OUT_OF_RANGE when the file ends before that; the
// buffer's content is unspecified after an error.
absl::Status ReadFromFile(int fd, uint64_t offset, PayloadBuffer& buffer);

}  // namespace pagewire
