// The types of frames and their flags.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pagewire::wire {

// The values are the wire's. Types below 0x80 must be known to the receiver; the others are skipped where unknown.
enum class FrameType : uint8_t {
  kCallStart = 0x01,
  kMessage = 0x02,
  kPayloadBegin = 0x03,
  kChunk = 0x04,
  kPayloadEnd = 0x05,
  kAck = 0x06,
  kCredit = 0x07,
  kCancel = 0x08,
  kStatus = 0x09,
  kPing = 0x0a,
  kGoAway = 0x0b,
  kSettings = 0x0c,
};
inline constexpr uint8_t kFirstSkippableType = 0x80;

// CALL_START, MESSAGE: this side sends no further message in the call.
inline constexpr uint8_t kFlagEndStream = 0x01;
// CALL_START, MESSAGE: the message continues in MESSAGE frames with kFlagContinuation.
inline constexpr uint8_t kFlagMore = 0x02;
// CALL_START, MESSAGE with kFlagHasMessage, PAYLOAD_BEGIN: credit held covers the whole message or payload.
inline constexpr uint8_t kFlagCovered = 0x04;
// CALL_START, MESSAGE: a message starts here.
inline constexpr uint8_t kFlagHasMessage = 0x08;
// MESSAGE: a further part of the message that has started.
inline constexpr uint8_t kFlagContinuation = 0x10;
// PING: the reply. SETTINGS: the acknowledgement.
inline constexpr uint8_t kFlagAck = 0x20;

// The type with this number; nullopt where this version has none.
std::optional<FrameType> KnownFrameType(uint8_t number);

// The flags that a frame of this type may have.
uint8_t DefinedFlags(FrameType type);

// As in docs/protocol.md: "CALL_START"; for an unknown number "frame type 0x7f".
std::string FrameTypeName(uint8_t number);
inline std::string FrameTypeName(FrameType type) { return FrameTypeName(static_cast<uint8_t>(type)); }

}  // namespace pagewire::wire
