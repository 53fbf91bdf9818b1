// Memory to write a payload into.
#pragma once

#include <pagewire/payload.h>

#include <absl/status/statusor.h>

#include <cstddef>
#include <memory>

namespace pagewire {

// Writable memory from the library's pool, aligned to 4096 bytes (to 2 MiB from 2 MiB on), to be filled and frozen.
// Memory that was used before is reused: it is NOT zeroed and may show earlier payloads of this process; write all of
// it. Move-only; used by one thread at a time.
class PayloadBuffer {
 public:
  // `size` bytes; 0 is allowed. Ends the process with a message when there is no memory.
  static PayloadBuffer Allocate(size_t size);

  // The same, but RESOURCE_EXHAUSTED when the pool's address range or the kernel has no room; the message says which.
  static absl::StatusOr<PayloadBuffer> TryAllocate(size_t size);

  PayloadBuffer(PayloadBuffer&&) noexcept;
  PayloadBuffer& operator=(PayloadBuffer&&) noexcept;
  PayloadBuffer(const PayloadBuffer&) = delete;
  PayloadBuffer& operator=(const PayloadBuffer&) = delete;

  // Gives the memory back, unless it was frozen.
  ~PayloadBuffer();

  // Not null unless moved from, also for size 0. Bytes beyond size() must not be written.
  char* data() { return data_; }
  const char* data() const { return data_; }

  // As allocated, in bytes; 0 when moved from.
  size_t size() const { return size_; }

  // A payload of all size() bytes, not copied. Whoever kept a pointer must not write through it any more.
  Payload Freeze() &&;

 private:
  explicit PayloadBuffer(std::shared_ptr<const void> memory, char* data, size_t size);

  std::shared_ptr<const void> memory_;  // null when moved from or frozen
  char* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace pagewire
