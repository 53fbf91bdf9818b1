#include "wire/frame.h"

namespace pagewire::wire {

google::protobuf::Message& EmplaceBody(FrameType type, FrameBody& body) {
  switch (type) {
    case FrameType::kCallStart:
      return body.emplace<v1::CallStart>();
    case FrameType::kMessage:
      return body.emplace<v1::MessagePart>();
    case FrameType::kPayloadBegin:
      return body.emplace<v1::PayloadBegin>();
    case FrameType::kChunk:
      return body.emplace<v1::Chunk>();
    case FrameType::kPayloadEnd:
      return body.emplace<v1::PayloadEnd>();
    case FrameType::kAck:
      return body.emplace<v1::Ack>();
    case FrameType::kCredit:
      return body.emplace<v1::Credit>();
    case FrameType::kCancel:
      return body.emplace<v1::Cancel>();
    case FrameType::kStatus:
      return body.emplace<v1::CallStatus>();
    case FrameType::kPing:
      return body.emplace<v1::Ping>();
    case FrameType::kGoAway:
      return body.emplace<v1::GoAway>();
    case FrameType::kSettings:
      break;
  }
  return body.emplace<v1::Settings>();
}

}  // namespace pagewire::wire
