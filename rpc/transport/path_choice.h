// Which way payloads take, and why.
#pragma once

#include <pagewire/paths.h>

#include <absl/status/statusor.h>

namespace pagewire::transport {

struct Paths {
  SendPath send = SendPath::kAuto;
  ReceivePath receive = ReceivePath::kAuto;
};

// What the user's options ask for; where they say kAuto, the environment's PAGEWIRE_SEND_PATH and
// PAGEWIRE_RECEIVE_PATH. INVALID_ARGUMENT for a value that is no path's name, UNIMPLEMENTED for a path that this
// version does not have.
absl::StatusOr<Paths> RequestedPaths(SendPath send, ReceivePath receive);

// Why a receiver copies whole pages on a connection.
CopyReason WholePageCopyReason(ReceivePath requested, bool same_host);

}  // namespace pagewire::transport
