// What a handler's ServerContext shows: shared between the handler's thread and the connection's loop.
#pragma once

#include <pagewire/metadata.h>
#include <pagewire/transfer_report.h>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <string>

namespace pagewire::internal {

class ServerCallState {
 public:
  // Set before the handler runs, then constant.
  std::string method;
  std::string peer;
  absl::Time deadline = absl::InfiniteFuture();
  Metadata client_metadata;
  CallTransferReport transfers;

  // Set by the loop, read by anyone.
  std::atomic<bool> cancelled = false;

  // The handler's, until it returns.
  Metadata initial_metadata;
  Metadata trailing_metadata;
  absl::Status metadata_error;  // the first invalid pair
};

}  // namespace pagewire::internal
