// A range of a file as the owner of a span: read when somebody looks, or sent without being looked at.
#pragma once

#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/unique_fd.h"
#include "payload/span_owner.h"

namespace pagewire::memory {

// Mapped shared and for reading: where the file was cut short meanwhile, whoever looks is killed by SIGBUS. Only ReadAt
// and the kernel's sendfile can tell; so the library itself looks through them.
class FileMemory final : public SpanOwner {
 public:
  // Keeps a duplicate of `fd`. Not a regular file, or one that cannot be mapped: UNAVAILABLE.
  static absl::StatusOr<std::shared_ptr<const FileMemory>> Map(int fd, uint64_t offset, uint64_t length);

  ~FileMemory() override;

  absl::Span<const char> bytes() const { return bytes_; }
  int fd() const { return fd_.get(); }

  // Of a byte in bytes().
  uint64_t OffsetOf(const char* byte) const { return offset_ + static_cast<uint64_t>(byte - bytes_.data()); }

  // Has the kernel read these bytes of bytes() ahead, in the background.
  void Prefetch(const char* first, size_t size) const;

  const FileMemory* file() const override { return this; }

 private:
  FileMemory(base::UniqueFd fd, uint64_t offset, absl::Span<const char> bytes)
      : fd_(std::move(fd)), offset_(offset), bytes_(bytes) {}

  const base::UniqueFd fd_;
  const uint64_t offset_;
  const absl::Span<const char> bytes_;
};

}  // namespace pagewire::memory
