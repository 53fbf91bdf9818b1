// What goes into a unary call, and what comes out of it.
#pragma once

#include <pagewire/metadata.h>
#include <pagewire/payload.h>
#include <pagewire/transfer_report.h>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>

#include "transport/peer_event.h"

namespace pagewire::call {

struct UnaryRequest {
  std::string method;  // "/package.Service/Method"
  absl::Time deadline = absl::InfiniteFuture();
  Metadata metadata;  // valid
  std::string message;
  Payload payload;
  transport::PayloadEvents payload_events;
  bool takes_response_payload = false;
  uint64_t max_metadata_bytes = 0;  // of the server's initial metadata, and of its trailing metadata
};

struct UnaryResult {
  absl::Status status;
  std::string message;
  Payload payload;
  Metadata initial_metadata;
  Metadata trailing_metadata;
  CallTransferReport transfers;
  std::string peer;
  bool not_started = false;
};

}  // namespace pagewire::call
