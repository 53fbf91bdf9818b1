#include "transport/splice_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/uninterrupted.h"

namespace pagewire::transport {
namespace {

// A page takes a slot of 4096 bytes, two if the memory is not aligned: a chunk of 256 KiB is in and out at once.
constexpr int kPipeBytes = 512 << 10;

}  // namespace

SplicePipe::Result SplicePipe::Write(int socket, absl::Span<const iovec> from) {
  size_t whole = 0;
  for (const iovec& span : from) whole += span.iov_len;
  Result result;
  while (result.bytes < whole) {
    result.error = Fill(from, result.bytes);
    if (inside_ == 0) return result;
    const ssize_t count = base::Uninterrupted(
        [&] { return splice(out_.get(), nullptr, socket, nullptr, inside_, SPLICE_F_MOVE | SPLICE_F_NONBLOCK); });
    if (count <= 0) {
      result.error = count < 0 ? errno : EAGAIN;
      return result;
    }
    result.error = 0;
    inside_ -= count;
    result.bytes += count;
  }
  return result;
}

// Puts what follows the first `taken` bytes, and what is inside already, into the pipe as far as it has room.
int SplicePipe::Fill(absl::Span<const iovec> from, size_t taken) {
  if (!in_.valid()) {
    std::array<int, 2> ends = {-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return errno;
    out_.Reset(ends[0]);
    in_.Reset(ends[1]);
    // Without it there are only more calls: users may have so many pages in pipes (fs.pipe-user-pages-soft).
    static_cast<void>(fcntl(in_.get(), F_SETPIPE_SZ, kPipeBytes));
  }
  size_t skip = taken + inside_;
  for (const iovec& span : from) {
    size_t offset = std::min(skip, span.iov_len);
    skip -= offset;
    while (offset < span.iov_len) {
      const iovec rest = {static_cast<char*>(span.iov_base) + offset, span.iov_len - offset};
      const ssize_t count = base::Uninterrupted([&] { return vmsplice(in_.get(), &rest, 1, SPLICE_F_NONBLOCK); });
      if (count < 0) return errno;
      offset += count;
      inside_ += count;
    }
  }
  return 0;
}

bool SplicePipe::Refused(int error) {
  switch (error) {
    case EFAULT:
    case EINVAL:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSYS:
    case EPERM:
      return true;
    default:
      return false;
  }
}

}  // namespace pagewire::transport
