// Which way payloads take, and why.
#pragma once

#include <pagewire/paths.h>

#include <absl/status/statusor.h>

#include <cstdint>

namespace pagewire::transport {

struct Paths {
  SendPath send = SendPath::kAuto;
  ReceivePath receive = ReceivePath::kAuto;
};

// What the user's options ask for; where they say kAuto, the environment's PAGEWIRE_SEND_PATH and
// PAGEWIRE_RECEIVE_PATH. INVALID_ARGUMENT for a value that is no path's name, UNIMPLEMENTED for a path that this
// version does not have.
absl::StatusOr<Paths> RequestedPaths(SendPath send, ReceivePath receive);

// What is known of a connection.
struct SendTerms {
  SendPath requested = SendPath::kAuto;
  bool same_host = false;
  bool zerocopy_possible = false;
  bool quarantine_full = false;  // see QuarantinedBytes
};

struct SendChoice {
  SendPath path = SendPath::kCopy;
  CopyReason reason = CopyReason::kPolicy;  // with kCopy: why
};

// For one payload. kAuto copies between ends on one host, where the kernel would copy what is sent without a copy, and
// what is small.
SendChoice ChooseSendPath(const SendTerms& terms, uint64_t payload_bytes);

struct ReceiveTerms {
  ReceivePath requested = ReceivePath::kAuto;
  bool same_host = false;
  bool map_possible = false;
  bool whole_page_segments = false;  // TCP segments hold whole pages
  bool arena = false;                // there is one
};

struct ReceiveChoice {
  bool map = false;
  CopyReason reason = CopyReason::kPolicy;  // why whole pages are copied, without `map`
  uint64_t map_from_bytes = 0;              // with `map`: payloads of fewer bytes are copied (below_threshold)
};

// For one connection.
ReceiveChoice ChooseReceivePath(const ReceiveTerms& terms);

}  // namespace pagewire::transport
