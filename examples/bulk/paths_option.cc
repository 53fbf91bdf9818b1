#include "bulk/paths_option.h"

#include <absl/strings/str_cat.h>

namespace bulk {

absl::Status SetSendPath(const std::string& name, Paths& paths) {
  const std::optional<pagewire::SendPath> path = pagewire::ParseSendPath(name);
  if (!path.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--send-path is \"", name, "\"; use auto, copy, zerocopy, fixed, splice or file"));
  }
  paths.send = *path;
  return absl::OkStatus();
}

absl::Status SetReceivePath(const std::string& name, Paths& paths) {
  const std::optional<pagewire::ReceivePath> path = pagewire::ParseReceivePath(name);
  if (!path.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("--receive-path is \"", name, "\"; use auto, copy or map"));
  }
  paths.receive = *path;
  return absl::OkStatus();
}

}  // namespace bulk
