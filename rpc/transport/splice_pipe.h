// The pipe through which memory goes into a socket by reference.
#pragma once

#include <absl/types/span.h>
#include <sys/uio.h>

#include <cstddef>

#include "base/unique_fd.h"

namespace pagewire::transport {

// vmsplice() puts references to pages into a pipe, splice() moves them on into a socket. What the socket does not take
// stays in the pipe, so the next bytes for the socket must be the same ones: see Write. Made at the first use. Not
// thread-safe.
class SplicePipe {
 public:
  struct Result {
    size_t bytes = 0;  // that the socket took
    int error = 0;     // errno; EAGAIN and EWOULDBLOCK when the socket takes no more now
  };

  // Moves bytes from `from`, none of them empty, into a non-blocking stream socket. If it did not take all of them, the
  // next call must begin with the rest. May raise SIGPIPE, which the calling thread blocks.
  Result Write(int socket, absl::Span<const iovec> from);

  // No bytes that the socket has not taken are left inside.
  bool empty() const { return inside_ == 0; }

  // Whether an error of Write, with nothing inside the pipe, is about the memory or the pipe and not about the socket.
  static bool Refused(int error);

 private:
  int Fill(absl::Span<const iovec> from, size_t taken);

  base::UniqueFd in_, out_;
  size_t inside_ = 0;
};

}  // namespace pagewire::transport
