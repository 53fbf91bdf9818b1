// Memory that payloads are made of again and again: the process's own, or a file's.
#pragma once

#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace pagewire::transfer {

// Its functions but bytes() are for whoever has the buffer, between the release of one payload and the next Lend.
class ReusedBuffer {
 public:
  static std::unique_ptr<ReusedBuffer> InMemory(size_t size);

  // A file that has no name, mapped shared: what is written to bytes() is written to it. Ends the process where there
  // can be none.
  static std::unique_ptr<ReusedBuffer> InFile(size_t size);

  virtual ~ReusedBuffer() = default;

  // Page-aligned, all of it.
  virtual absl::Span<char> bytes() const = 0;

  // A payload of `size` bytes at `offset`. `release` runs once, on the executor, when its last handle is gone.
  virtual Payload Lend(uint64_t offset, uint64_t size, absl::AnyInvocable<void()> release) = 0;

  // Whoever still has its pages keeps them as they are; it has others, of zeros. False when it keeps its own, because
  // they are in no file.
  virtual bool LeavePages() = 0;
};

}  // namespace pagewire::transfer
