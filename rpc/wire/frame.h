// One frame as the decoder yields it.
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <string_view>
#include <variant>

#include "pagewire/wire.pb.h"
#include "wire/frame_prefix.h"
#include "wire/frame_type.h"

namespace pagewire::wire {

// In the order of FrameType, whose first is 1.
using FrameBody = std::variant<v1::CallStart, v1::MessagePart, v1::PayloadBegin, v1::Chunk, v1::PayloadEnd, v1::Ack,
                               v1::Credit, v1::Cancel, v1::CallStatus, v1::Ping, v1::GoAway, v1::Settings>;
static_assert(std::variant_size_v<FrameBody> == static_cast<size_t>(FrameType::kSettings));

// Makes `body` an empty message of the kind that belongs to `type`, and returns it.
google::protobuf::Message& EmplaceBody(FrameType type, FrameBody& body);

struct Frame {
  FramePrefix prefix;

  // Alternative number type - 1.
  FrameBody body;

  // Message bytes or a tail; prefix.data_length bytes.
  std::string_view data;

  FrameType type() const { return static_cast<FrameType>(prefix.type); }
  bool has(uint8_t flag) const { return (prefix.flags & flag) != 0; }
};

}  // namespace pagewire::wire
