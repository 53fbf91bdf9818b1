// Which way payloads take, and why.
#pragma once

#include <pagewire/paths.h>
#include <pagewire/payload.h>

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>

#include "transport/peer_paths.h"

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
  bool splice_possible = false;
  CopyReason without = CopyReason::kKernelUnsupported;  // why what is not possible is not
  bool digests = false;                                 // both sides want one at the end of each payload
  bool whole_page_segments = false;                     // TCP segments hold whole pages
  std::shared_ptr<PeerPaths> peer = nullptr;            // what kAuto learns from; null: it copies
};

struct SendChoice {
  SendPath path = SendPath::kCopy;
  CopyReason reason = CopyReason::kPolicy;  // with kCopy: why

  // By kAuto:
  ReceivePath receive = ReceivePath::kAuto;  // advice for the receiver; kAuto: none
  PathChooser::Group group = 0;              // not 0: measure it
  PathEvidence evidence = {};
};

// What a payload's bytes are; see payload/lending.h.
enum class Backing {
  kOther,
  kLendable,
  kFile,   // all of them
  kMixed,  // some of them are in files
};
Backing BackingOf(const Payload& payload);

// For one payload. kAuto copies what is small, and lets PeerPaths choose for the
// rest.
SendChoice ChooseSendPath(const SendTerms& terms, uint64_t payload_bytes, Backing backing);

struct ReceiveTerms {
  ReceivePath requested = ReceivePath::kAuto;
  bool same_host = false;
  bool map_possible = false;
  CopyReason without = CopyReason::kKernelUnsupported;  // why mapping is not possible, if it is not
  bool whole_page_segments = false;                     // TCP segments hold whole pages
  bool arena = false;                                   // there is one
};

struct ReceiveChoice {
  bool map = false;
  CopyReason reason = CopyReason::kPolicy;  // why whole pages are copied, without `map`
  uint64_t map_from_bytes = 0;              // with `map`: payloads of fewer bytes are copied (below_threshold)
  bool takes_advice = false;                // the sender may choose for each payload; it can be mapped
};

// For one connection.
ReceiveChoice ChooseReceivePath(const ReceiveTerms& terms);

}  // namespace pagewire::transport
