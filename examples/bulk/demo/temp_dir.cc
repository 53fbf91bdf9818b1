#include "bulk/demo/temp_dir.h"

#include <absl/strings/str_cat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace bulk::demo {

absl::StatusOr<TempDir> TempDir::Make() {
  const char* const parent = std::getenv("TMPDIR");
  std::string path = absl::StrCat(parent != nullptr && *parent != '\0' ? parent : "/tmp", "/pagewire-demo.XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot make the directory ", path, "; set TMPDIR to another place"));
  }
  return TempDir(std::move(path));
}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace bulk::demo
