// What each side says first, and what follows from it for both.
//
// 0                 8             10            12             16
// +-----------------+-------------+-------------+--------------+------------------+
// | magic           | min_version | max_version | body_length  | body             |
// +-----------------+-------------+-------------+--------------+------------------+
//
// Little-endian. The layout is the same in every protocol version.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "pagewire/wire.pb.h"
#include "wire/limits.h"
#include "wire/settings.h"

namespace pagewire::wire {

// The high bit finds a channel of 7 bits, CR LF and LF one that translates line ends; 0x1A ends a DOS `type`.
inline constexpr std::string_view kMagic("\x89PGW\r\n\x1a\n", 8);

inline constexpr size_t kPrefaceHeadBytes = 16;
inline constexpr uint32_t kMaxPrefaceBodyBytes = 4096;
inline constexpr size_t kSessionIdBytes = 16;
inline constexpr size_t kMaxAgentBytes = 256;

// Feature bits. A side names what it is ready to use; what both name is in use. Unknown bits are ignored.
inline constexpr uint64_t kFeatureUnknownSize = 1 << 0;  // payloads that begin before their size is known
inline constexpr uint64_t kFeaturePiecewise = 1 << 1;    // payloads handed out before they are whole
inline constexpr uint64_t kFeatureCrc32c = 1 << 2;       // end-to-end digests
inline constexpr uint64_t kFeatureXxh3 = 1 << 3;         // end-to-end digests
inline constexpr uint64_t kFeatureCompression = 1 << 4;  // reserved: compressed messages
inline constexpr uint64_t kFeatureStriping = 1 << 5;     // reserved: one payload over several lanes

struct Preface {
  uint16_t min_version = kMinVersion;
  uint16_t max_version = kMaxVersion;
  v1::Preface body;
};

// Our preface. `session_id` has kSessionIdBytes, or is empty at the accepting side.
Preface MakePreface(std::string_view session_id, uint32_t lane_id, uint64_t features, const Settings& settings,
                    std::string_view agent);

// Appends the preface's bytes. Its body must not be longer than kMaxPrefaceBodyBytes, which MakePreface's never is.
void AppendPreface(const Preface& preface, std::string& out);

// What two sides have agreed on.
struct Negotiated {
  uint16_t version = 0;
  uint64_t features = 0;
  Settings peer;  // limits for what we send
};

// `own` and `peer` are the two prefaces, `initiator` is true at the side that made the connection.
// FAILED_PRECONDITION when there is no common version; INVALID_ARGUMENT when the peer's settings or ids break a rule.
absl::StatusOr<Negotiated> Negotiate(const Preface& own, const Preface& peer, bool initiator);

}  // namespace pagewire::wire
