#include "wire/frame_encoder.h"

#include <absl/strings/str_cat.h>

#include <cassert>
#include <limits>

#include "wire/frame_prefix.h"

namespace pagewire::wire {
namespace {

// Prefix and body; the body's length is filled in.
void AppendPrefixAndBody(FramePrefix prefix, const google::protobuf::MessageLite& body, std::string& out) {
  const size_t body_length = body.ByteSizeLong();
  assert(body_length <= std::numeric_limits<uint32_t>::max());
  prefix.body_length = static_cast<uint32_t>(body_length);
  const size_t begin = out.size();
  out.resize(begin + kFramePrefixBytes + body_length);
  EncodeFramePrefix(prefix, out.data() + begin);
  body.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(out.data() + begin + kFramePrefixBytes));
}

}  // namespace

void AppendFrame(FrameType type, uint8_t flags, const google::protobuf::MessageLite& body, std::string_view data,
                 std::string& out) {
  AppendFrameHead(type, flags, body, data.size(), out);
  out.append(data);
}

void AppendFrameHead(FrameType type, uint8_t flags, const google::protobuf::MessageLite& body, uint64_t data_length,
                     std::string& out) {
  assert(data_length <= std::numeric_limits<uint32_t>::max());
  FramePrefix prefix;
  prefix.type = static_cast<uint8_t>(type);
  prefix.flags = flags;
  prefix.data_length = static_cast<uint32_t>(data_length);
  AppendPrefixAndBody(prefix, body, out);
}

void AppendChunkHeader(const v1::Chunk& body, uint64_t chunk_length, std::string& out, uint32_t follow_length) {
  assert(chunk_length > 0 && chunk_length % kChunkUnit == 0);
  assert(chunk_length <= std::numeric_limits<uint32_t>::max());
  FramePrefix prefix;
  prefix.type = static_cast<uint8_t>(FrameType::kChunk);
  prefix.chunk_length = static_cast<uint32_t>(chunk_length);
  prefix.follow_length = follow_length;
  AppendPrefixAndBody(prefix, body, out);
}

absl::Status CheckFits(FrameType type, const google::protobuf::MessageLite& body, uint64_t data_length,
                       const FrameLimits& limits) {
  const size_t body_length = body.ByteSizeLong();
  if (body_length > limits.max_body_length) {
    return absl::ResourceExhaustedError(absl::StrCat(FrameTypeName(type), ": its body of ", body_length,
                                                     " bytes exceeds the peer's max_body_length of ",
                                                     limits.max_body_length));
  }
  if (data_length > limits.max_data_length) {
    return absl::ResourceExhaustedError(absl::StrCat(FrameTypeName(type), ": its data of ", data_length,
                                                     " bytes exceeds the peer's max_data_length of ",
                                                     limits.max_data_length));
  }
  return absl::OkStatus();
}

}  // namespace pagewire::wire
