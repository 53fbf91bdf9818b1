// What the kernel said of a file.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <cstdint>

namespace pagewire::memory {

// `verb`: "read".
inline absl::Status FileError(int error, absl::string_view verb, uint64_t offset) {
  return absl::ErrnoToStatus(error, absl::StrCat("cannot ", verb, " the file at offset ", offset));
}

}  // namespace pagewire::memory
