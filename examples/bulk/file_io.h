// Payloads from files and to files.
#pragma once

#include <pagewire/payload.h>

#include <absl/status/statusor.h>

#include <string>

#include "bulk/fd.h"

namespace bulk {

// Opens a regular file for reading; `name` is relative to `directory`, a descriptor or AT_FDCWD. The last part of the
// name is not followed if it is a symbolic link. NOT_FOUND; FAILED_PRECONDITION: it is something else than a file.
absl::StatusOr<Fd> OpenRegularFile(int directory, const std::string& name);

// The whole file, read before this returns. ABORTED: it became shorter meanwhile; RESOURCE_EXHAUSTED: no memory.
absl::StatusOr<pagewire::Payload> ReadPayload(int fd);

// Writes all of it at the file's position.
absl::Status WritePayload(int fd, const pagewire::Payload& payload);

}  // namespace bulk
