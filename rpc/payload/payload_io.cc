#include <fcntl.h>
#include <pagewire/payload_io.h>
#include <sys/stat.h>
#include <unistd.h>

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "base/uninterrupted.h"
#include "payload/file_error.h"
#include "payload/file_read.h"
#include "payload/file_ring.h"
#include "payload/file_segments.h"
#include "payload/page.h"

namespace pagewire {
namespace {

using memory::FileError;
using memory::kPageBytes;

// How the file was opened; nothing for a bad descriptor, which the first use of it tells.
bool IsOpenWith(int fd, int flag) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & flag) != 0;
}
bool IsDirect(int fd) { return IsOpenWith(fd, O_DIRECT); }

absl::Status CheckRange(uint64_t offset, uint64_t bytes, bool direct) {
  constexpr uint64_t kMost = std::numeric_limits<off_t>::max() - kPageBytes;
  if (offset > kMost || bytes > kMost - offset) {
    return absl::OutOfRangeError(absl::StrCat(bytes, " bytes at offset ", offset, " end beyond what a file can have"));
  }
  if (direct && offset % kPageBytes != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the file was opened with O_DIRECT, so the offset must be a multiple of ", kPageBytes, "; it is ", offset));
  }
  return absl::OkStatus();
}

absl::Status WriteInTurn(memory::FileSegments& segments, int fd) {
  while (!segments.done()) {
    absl::StatusOr<memory::FileSegment> segment = segments.Next();
    if (!segment.ok()) return std::move(segment).status();
    while (segment->bytes > 0) {
      const ssize_t written = base::Uninterrupted([&] {
        return pwritev(fd, segment->iovecs.data(), static_cast<int>(segment->iovecs.size()),
                       static_cast<off_t>(segment->offset));
      });
      if (written < 0) return FileError(errno, "write", segment->offset);
      if (written == 0) return FileError(ENOSPC, "write", segment->offset);
      segment->Advance(static_cast<uint64_t>(written));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteToFile(const Payload& payload, int fd, uint64_t offset, const FileWriteOptions& options) {
  const bool direct = IsDirect(fd);
  if (absl::Status status = CheckRange(offset, payload.size(), direct); !status.ok()) return status;
  // What has no offsets takes none; io_uring would write to a pipe all the same.
  if (lseek(fd, 0, SEEK_CUR) < 0) return FileError(errno, "write", offset);
  if (IsOpenWith(fd, O_APPEND)) {
    return absl::InvalidArgumentError("the file was opened with O_APPEND, with which Linux ignores the offset");
  }
  const uint64_t end = offset + payload.size();
  const bool padded = direct && end % kPageBytes != 0;
  struct stat before = {};
  if (padded && fstat(fd, &before) != 0) return FileError(errno, "write", offset);
  memory::FileSegments segments(payload, offset, direct);
  absl::Status status = options.io_uring ? memory::WriteWithRing(segments, fd) : WriteInTurn(segments, fd);
  if (!status.ok()) return status;
  if (padded && S_ISREG(before.st_mode)) {
    const uint64_t size = std::max(static_cast<uint64_t>(before.st_size), end);
    if (size < end + kPageBytes && ftruncate(fd, static_cast<off_t>(size)) != 0) return FileError(errno, "cut", size);
  }
  if (options.durable && fdatasync(fd) != 0) return FileError(errno, "sync", offset);
  return absl::OkStatus();
}

absl::Status ReadFromFile(int fd, uint64_t offset, PayloadBuffer& buffer) {
  const bool direct = IsDirect(fd);
  if (absl::Status status = CheckRange(offset, buffer.size(), direct); !status.ok()) return status;
  const size_t tail = direct ? buffer.size() % kPageBytes : 0;
  const size_t whole = buffer.size() - tail;
  absl::StatusOr<size_t> count = memory::ReadAt(fd, offset, absl::MakeSpan(buffer.data(), whole), direct);
  if (!count.ok()) return std::move(count).status();
  if (*count == whole && tail > 0) {
    // A page is read, of which the buffer takes a part.
    absl::StatusOr<PayloadBuffer> page = PayloadBuffer::TryAllocate(kPageBytes);
    if (!page.ok()) return std::move(page).status();
    const absl::StatusOr<size_t> in_page =
        memory::ReadAt(fd, offset + whole, absl::MakeSpan(page->data(), page->size()), direct);
    if (!in_page.ok()) return in_page.status();
    const size_t of_tail = std::min(tail, *in_page);
    std::memcpy(buffer.data() + whole, page->data(), of_tail);
    *count += of_tail;
  }
  if (*count == buffer.size()) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat("the file ends at offset ", offset + *count, ": it has no ", buffer.size(),
                                            " bytes at offset ", offset));
}

}  // namespace pagewire
