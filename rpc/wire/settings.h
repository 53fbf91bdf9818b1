// The limits that each side sets for its peer.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <absl/status/status.h>
#include <absl/types/span.h>

#include <cstdint>
#include <string_view>

#include "pagewire/wire.pb.h"
#include "wire/limits.h"

namespace pagewire::wire {

// The values are the wire's. Ids below 0x8000 must be known to the receiver; the others are ignored where unknown.
enum class SettingId : uint32_t {
  kInitialConnectionCredit = 1,
  kInitialCallCredit = 2,
  kWindow = 3,
  kMaxBodyLength = 4,
  kMaxDataLength = 5,
  kMaxChunkLength = 6,
  kMaxMessageSize = 7,
  kMaxPayloadSize = 8,
  kMaxConcurrentCalls = 9,
  kMaxMetadataSize = 10,
};
inline constexpr uint32_t kFirstIgnorableSetting = 0x8000;

// One side's settings; a plain value, initially what this implementation offers. Bytes, but for max_concurrent_calls.
struct Settings {
  // What the peer may send from the beginning, per connection and per call.
  uint64_t initial_connection_credit = 4 << 20;
  uint64_t initial_call_credit = 4 << 20;

  // Payload bytes sent and not yet peer-received.
  uint64_t window = 2 << 20;

  // What one frame may hold.
  uint64_t max_body_length = 64 << 10;
  uint64_t max_data_length = 64 << 10;
  uint64_t max_chunk_length = 1 << 20;

  // A larger message, payload or metadata, or one call too many, is refused, and only its call fails. Telling the peer
  // lets it fail early. 0 is a limit too.
  uint64_t max_message_size = 4 << 20;
  uint64_t max_payload_size = kMaxBytes;
  uint64_t max_concurrent_calls = 10'000;
  uint64_t max_metadata_size = 16 << 10;

  FrameLimits frame_limits() const {
    return {static_cast<uint32_t>(max_body_length), static_cast<uint32_t>(max_data_length),
            static_cast<uint32_t>(max_chunk_length)};
  }

  friend bool operator==(const Settings&, const Settings&) = default;
};

// What a side has as long as it has not said otherwise: before its preface has arrived, and for settings that are
// absent from it. Every credit and frame limit is at its minimum.
Settings AssumedSettings();

// One row of the table of settings.
struct SettingRule {
  SettingId id;
  std::string_view name;  // "initial_connection_credit"
  uint64_t Settings::*value;
  uint64_t minimum;
  uint64_t maximum;
  bool fixed;  // set by the preface, never by a SETTINGS frame
};
absl::Span<const SettingRule> SettingRules();

// INVALID_ARGUMENT where a value is out of range, or max_chunk_length is above window or no multiple of 4096. Messages
// begin with "settings:".
absl::Status CheckSettings(const Settings& settings);

// The nearest settings that CheckSettings accepts, for settings that come from a user's options.
Settings ClampSettings(Settings settings);

using SettingList = google::protobuf::RepeatedPtrField<v1::Setting>;

// Appends every setting whose value is not the assumed one.
void AppendSettings(const Settings& settings, SettingList& list);

// Applies a preface's list to `settings`, or a SETTINGS frame's. INVALID_ARGUMENT, and `settings` as before, for an
// unknown id below 0x8000, an id named twice, whatever CheckSettings finds, and in ApplySettingsFrame for a fixed
// setting.
absl::Status ApplyPrefaceSettings(const SettingList& list, Settings& settings);
absl::Status ApplySettingsFrame(const SettingList& list, Settings& settings);

}  // namespace pagewire::wire
