#include "wire/frame_type.h"

#include <absl/strings/str_cat.h>

namespace pagewire::wire {
namespace {

const char* KnownName(FrameType type) {
  switch (type) {
    case FrameType::kCallStart:
      return "CALL_START";
    case FrameType::kMessage:
      return "MESSAGE";
    case FrameType::kPayloadBegin:
      return "PAYLOAD_BEGIN";
    case FrameType::kChunk:
      return "CHUNK";
    case FrameType::kPayloadEnd:
      return "PAYLOAD_END";
    case FrameType::kAck:
      return "ACK";
    case FrameType::kCredit:
      return "CREDIT";
    case FrameType::kCancel:
      return "CANCEL";
    case FrameType::kStatus:
      return "STATUS";
    case FrameType::kPing:
      return "PING";
    case FrameType::kGoAway:
      return "GO_AWAY";
    case FrameType::kSettings:
      return "SETTINGS";
  }
  return nullptr;
}

}  // namespace

std::optional<FrameType> KnownFrameType(uint8_t number) {
  if (number < static_cast<uint8_t>(FrameType::kCallStart) || number > static_cast<uint8_t>(FrameType::kSettings)) {
    return std::nullopt;
  }
  return static_cast<FrameType>(number);
}

uint8_t DefinedFlags(FrameType type) {
  switch (type) {
    case FrameType::kCallStart:
      return kFlagEndStream | kFlagMore | kFlagCovered | kFlagHasMessage;
    case FrameType::kMessage:
      return kFlagEndStream | kFlagMore | kFlagCovered | kFlagHasMessage | kFlagContinuation;
    case FrameType::kPayloadBegin:
      return kFlagCovered;
    case FrameType::kPing:
    case FrameType::kSettings:
      return kFlagAck;
    default:
      return 0;
  }
}

std::string FrameTypeName(uint8_t number) {
  const char* name = KnownName(static_cast<FrameType>(number));
  if (name != nullptr) return name;
  return absl::StrCat("frame type 0x", absl::Hex(number, absl::kZeroPad2));
}

}  // namespace pagewire::wire
