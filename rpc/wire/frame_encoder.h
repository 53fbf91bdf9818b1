// Frames to bytes.
#pragma once

#include <google/protobuf/message_lite.h>

#include <absl/status/status.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "pagewire/wire.pb.h"
#include "wire/frame_type.h"
#include "wire/limits.h"

namespace pagewire::wire {

// The functions below append to `out` and check nothing: what they are given must keep the rules for its type
// (frame_rules.h) and fit the peer's limits (CheckFits).

// A whole frame. `body` is the message that belongs to `type`, and `type` is not CHUNK.
void AppendFrame(FrameType type, uint8_t flags, const google::protobuf::MessageLite& body, std::string_view data,
                 std::string& out);

// A frame up to its data; the caller sends `data_length` bytes of data right after it, from where they lie.
void AppendFrameHead(FrameType type, uint8_t flags, const google::protobuf::MessageLite& body, uint64_t data_length,
                     std::string& out);

// A CHUNK frame; the caller sends `chunk_length` bytes, a positive multiple of kChunkUnit, right after it. See
// FramePrefix for `follow_length`.
void AppendChunkHeader(const v1::Chunk& body, uint64_t chunk_length, std::string& out, uint32_t follow_length = 0);

// RESOURCE_EXHAUSTED, naming the length and the limit, when a frame with this body and data is more than the peer
// accepts.
absl::Status CheckFits(FrameType type, const google::protobuf::MessageLite& body, uint64_t data_length,
                       const FrameLimits& limits);

}  // namespace pagewire::wire
