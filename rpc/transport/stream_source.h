// Where a client inside the process gets its end of a new connection.
#pragma once

#include <absl/status/statusor.h>

#include <memory>

#include "transport/byte_stream.h"
#include "transport/loop.h"

namespace pagewire::internal {

// Thread-safe. Stays usable when the server is gone: UNAVAILABLE then.
class StreamSource {
 public:
  virtual ~StreamSource() = default;

  // A stream on `loop`, whose other end the server serves.
  virtual absl::StatusOr<std::unique_ptr<transport::ByteStream>> Connect(transport::Loop& loop) = 0;
};

}  // namespace pagewire::internal
