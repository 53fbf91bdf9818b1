#include "bulk/file_io.h"

#include <fcntl.h>
#include <pagewire/payload_buffer.h>
#include <sys/stat.h>

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <cerrno>

namespace bulk {

absl::StatusOr<Fd> OpenRegularFile(int directory, const std::string& name) {
  // O_NONBLOCK: opening a pipe must not wait for its other end. Regular files ignore it.
  Fd fd(openat(directory, name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  const std::string quoted = absl::StrCat("\"", absl::CHexEscape(name), "\"");
  if (!fd.valid() && errno != ELOOP) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", quoted));
  struct stat info = {};
  if (fd.valid() && fstat(fd.get(), &info) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot stat ", quoted));
  if (!fd.valid() || !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(quoted, " is not a regular file"));
  }
  return fd;
}

absl::StatusOr<pagewire::Payload> ReadPayload(int fd) {
  struct stat info = {};
  if (fstat(fd, &info) != 0) return absl::ErrnoToStatus(errno, "cannot stat the file");
  absl::StatusOr<pagewire::PayloadBuffer> buffer = pagewire::PayloadBuffer::TryAllocate(info.st_size);
  if (!buffer.ok()) return std::move(buffer).status();
  for (size_t have = 0; have < buffer->size();) {
    const ssize_t got = pread(fd, buffer->data() + have, buffer->size() - have, static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot read at ", have));
    if (got == 0) {
      return absl::AbortedError(
          absl::StrCat("the file became shorter while it was read: ", have, " instead of ", buffer->size(), " bytes"));
    }
    have += static_cast<size_t>(got);
  }
  return (*std::move(buffer)).Freeze();
}

absl::Status WritePayload(int fd, const pagewire::Payload& payload) {
  for (absl::Span<const char> span : payload.spans()) {
    while (!span.empty()) {
      const ssize_t written = write(fd, span.data(), span.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", payload.size(), " bytes"));
      span.remove_prefix(static_cast<size_t>(written));
    }
  }
  return absl::OkStatus();
}

}  // namespace bulk
