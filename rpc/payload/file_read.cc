#include "payload/file_read.h"

#include <unistd.h>

#include <cerrno>

#include "base/uninterrupted.h"
#include "payload/file_error.h"
#include "payload/page.h"

namespace pagewire::memory {

absl::StatusOr<size_t> ReadAt(int fd, uint64_t offset, absl::Span<char> out, bool direct) {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = base::Uninterrupted(
        [&] { return pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done)); });
    if (count < 0) return FileError(errno, "read", offset + done);
    if (count == 0) break;
    done += static_cast<size_t>(count);
    if (direct && done % kPageBytes != 0) break;  // the end; the next read would not be aligned
  }
  return done;
}

}  // namespace pagewire::memory
