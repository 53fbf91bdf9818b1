// A directory that goes away with everything in it.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <utility>

namespace bulk::demo {

class TempDir {
 public:
  // In $TMPDIR, or /tmp.
  static absl::StatusOr<TempDir> Make();

  TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty when moved from
};

}  // namespace bulk::demo
