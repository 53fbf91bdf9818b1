// Payload::FromFile.
#include <pagewire/payload.h>
#include <sys/stat.h>
#include <unistd.h>

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <cerrno>
#include <limits>

#include "payload/pooled_copy.h"

namespace pagewire {
namespace {

constexpr uint64_t kMaxOffset = std::numeric_limits<off_t>::max();

absl::Status ReadAt(int fd, uint64_t offset, absl::Span<char> out) {
  while (!out.empty()) {
    const ssize_t bytes = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (bytes < 0) {
      if (errno == EINTR) continue;
      return absl::ErrnoToStatus(errno, absl::StrCat("cannot read the file at offset ", offset));
    }
    if (bytes == 0) {
      return absl::OutOfRangeError(absl::StrCat("the file ends at offset ", offset, ", ", out.size(),
                                                " bytes or more before the end of the payload's range"));
    }
    offset += static_cast<uint64_t>(bytes);
    out.remove_prefix(static_cast<size_t>(bytes));
  }
  return absl::OkStatus();
}

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
  return memory::PooledCopy(length, [&](absl::Span<char> out) {
    absl::Status status = ReadAt(fd, offset, out);
    offset += out.size();
    return status;
  });
}

}  // namespace pagewire
