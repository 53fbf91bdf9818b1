// A payload as a sequence of writes to a file.
#pragma once

#include <pagewire/payload.h>
#include <pagewire/payload_buffer.h>
#include <sys/uio.h>

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pagewire::memory {

// One write: some memory, one after the other, to one place in the file.
struct FileSegment {
  std::vector<iovec> iovecs;
  uint64_t offset = 0;
  uint64_t bytes = 0;

  // Keeps bytes that had to be copied.
  std::optional<PayloadBuffer> copy;

  // The first `written` bytes are done. `written` <= bytes.
  void Advance(uint64_t written);
};

// Cuts when it is asked, so that a payload of any size takes no more memory than what is under way.
class FileSegments {
 public:
  // `direct`: whole pages from aligned addresses to aligned offsets only, zeros after the end. The payload outlives it.
  FileSegments(const Payload& payload, uint64_t offset, bool direct)
      : spans_(payload.spans()), offset_(offset), left_(payload.size()), direct_(direct) {}

  bool done() const { return left_ == 0; }

  // Not when done. RESOURCE_EXHAUSTED when there is no memory for bytes that must be copied.
  absl::StatusOr<FileSegment> Next();

 private:
  absl::Span<const char> InSpan(uint64_t most) const;
  void Skip(uint64_t bytes);

  const absl::Span<const absl::Span<const char>> spans_;
  uint64_t offset_;
  uint64_t left_;
  const bool direct_;
  size_t span_ = 0;
  size_t in_span_ = 0;
};

}  // namespace pagewire::memory
