// Where the bytes of the chunk under way go, and how they get there: a receive path.
#pragma once

#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "transport/byte_stream.h"

namespace pagewire::transport {

// Takes one chunk after another. Not thread-safe: used by whoever drives the connection.
class ChunkTarget {
 public:
  virtual ~ChunkTarget() = default;

  struct Result {
    IoResult io;            // io.bytes: of the chunk and behind it, together
    size_t behind = 0;      // bytes that follow the chunk, now at the start of `behind`
    uint64_t wait_for = 1;  // kBlocked: so many bytes of the chunk should be there before the next call
  };

  // Takes bytes from the stream: up to `remaining` of the chunk, which is what it still lacks (never 0), and once it is
  // whole maybe some that follow it. States as from ByteStream::Read; kOk may come with 0 bytes, then ask again.
  virtual Result Receive(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) = 0;

  // Takes the chunk's next bytes, which were read together with something before it.
  virtual void Append(std::string_view bytes) = 0;
};

}  // namespace pagewire::transport
