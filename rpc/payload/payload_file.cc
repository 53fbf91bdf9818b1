// Payload::FromFile.
#include <pagewire/internal/block_pool.h>
#include <pagewire/payload.h>
#include <sys/stat.h>

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <cerrno>
#include <limits>
#include <memory>
#include <utility>

#include "payload/file_memory.h"
#include "payload/file_read.h"
#include "payload/payload_rep.h"
#include "payload/pooled_copy.h"

namespace pagewire {
namespace {

constexpr uint64_t kMaxOffset = std::numeric_limits<off_t>::max();

// Smaller ranges are read at once, which is cheaper than a mapping.
constexpr uint64_t kByReferenceFromBytes = 64 << 10;

}  // namespace

absl::StatusOr<Payload> Payload::FromFile(int fd, uint64_t offset, uint64_t length) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0) return absl::ErrnoToStatus(errno, "cannot make a payload of the file");
  // Known before any memory is taken for a range that is not there. Other kinds of files do not say their size.
  const uint64_t end = S_ISREG(info.st_mode) ? static_cast<uint64_t>(info.st_size) : kMaxOffset;
  if (offset > end || length > end - offset) {
    return absl::OutOfRangeError(
        absl::StrCat("the file ends at offset ", end, ": it has no ", length, " bytes at offset ", offset));
  }
  if (length >= kByReferenceFromBytes) {
    const absl::StatusOr<std::shared_ptr<const memory::FileMemory>> file = memory::FileMemory::Map(fd, offset, length);
    // What cannot be mapped may still be read.
    if (file.ok()) {
      auto rep = internal::MakeShared<internal::PayloadRep>();
      rep->Append((*file)->bytes(), *file);
      return internal::PayloadAccess::Make(std::move(rep));
    }
  }
  return memory::PooledCopy(length, [&](absl::Span<char> out) -> absl::Status {
    const absl::StatusOr<size_t> count = memory::ReadAt(fd, offset, out);
    if (!count.ok()) return count.status();
    offset += *count;
    if (*count == out.size()) return absl::OkStatus();
    return absl::OutOfRangeError(absl::StrCat("the file ends at offset ", offset, ", ", out.size() - *count,
                                              " bytes or more before the end of the payload's range"));
  });
}

}  // namespace pagewire
