// The options --send-path and --receive-path, which all programs of this example have.
#pragma once

#include <pagewire/paths.h>

#include <absl/status/status.h>

#include <string>

namespace bulk {

struct Paths {
  pagewire::SendPath send = pagewire::SendPath::kAuto;
  pagewire::ReceivePath receive = pagewire::ReceivePath::kAuto;
};

// Set the path that `name` means. INVALID_ARGUMENT, with the names there are, for any other.
absl::Status SetSendPath(const std::string& name, Paths& paths);
absl::Status SetReceivePath(const std::string& name, Paths& paths);

}  // namespace bulk
