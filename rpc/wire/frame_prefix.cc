#include "wire/frame_prefix.h"

#include <absl/strings/str_cat.h>

#include "wire/frame_type.h"
#include "wire/little_endian.h"

namespace pagewire::wire {
namespace {

// Offsets of the picture in the header.
constexpr size_t kTypeAt = 0;
constexpr size_t kFlagsAt = kTypeAt + sizeof(FramePrefix::type);
constexpr size_t kReservedAt = kFlagsAt + sizeof(FramePrefix::flags);
constexpr size_t kBodyLengthAt = kReservedAt + sizeof(uint16_t);
constexpr size_t kDataLengthAt = kBodyLengthAt + sizeof(FramePrefix::body_length);
constexpr size_t kChunkLengthAt = kDataLengthAt + sizeof(FramePrefix::data_length);
constexpr size_t kFollowLengthAt = kChunkLengthAt + sizeof(FramePrefix::chunk_length);
static_assert(kBodyLengthAt == 4 && kDataLengthAt == 8 && kChunkLengthAt == 12 && kFollowLengthAt == 16);
static_assert(kFollowLengthAt + sizeof(FramePrefix::follow_length) == kFramePrefixBytes);

absl::Status TooLong(uint8_t type, const char* field, uint32_t length, const char* setting, uint32_t limit) {
  return absl::ResourceExhaustedError(
      absl::StrCat(FrameTypeName(type), ": ", field, " ", length, " exceeds ", setting, ", which is ", limit));
}

bool MayHaveData(FrameType type) {
  return type == FrameType::kCallStart || type == FrameType::kMessage || type == FrameType::kPayloadEnd;
}

// What the type says about the prefix of a frame that must be understood.
absl::Status CheckKnown(FrameType type, const FramePrefix& prefix) {
  const uint8_t undefined = prefix.flags & ~DefinedFlags(type);
  if (undefined != 0) {
    return absl::InvalidArgumentError(absl::StrCat(FrameTypeName(type), ": flags 0x",
                                                   absl::Hex(undefined, absl::kZeroPad2), " are not defined for it"));
  }
  if (prefix.data_length != 0 && !MayHaveData(type)) {
    return absl::InvalidArgumentError(
        absl::StrCat(FrameTypeName(type), ": data_length is ", prefix.data_length, ", but the frame has no data"));
  }
  if (type == FrameType::kChunk) {
    if (prefix.chunk_length == 0) return absl::InvalidArgumentError("CHUNK: chunk_length is 0");
  } else if (prefix.chunk_length != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(FrameTypeName(type), ": chunk_length is ", prefix.chunk_length, ", but the frame has no chunk"));
  }
  return absl::OkStatus();
}

}  // namespace

void EncodeFramePrefix(const FramePrefix& prefix, char* out) {
  StoreLittleEndian(prefix.type, out + kTypeAt);
  StoreLittleEndian(prefix.flags, out + kFlagsAt);
  StoreLittleEndian(uint16_t{0}, out + kReservedAt);
  StoreLittleEndian(prefix.body_length, out + kBodyLengthAt);
  StoreLittleEndian(prefix.data_length, out + kDataLengthAt);
  StoreLittleEndian(prefix.chunk_length, out + kChunkLengthAt);
  StoreLittleEndian(prefix.follow_length, out + kFollowLengthAt);
}

absl::StatusOr<FramePrefix> DecodeFramePrefix(std::string_view bytes, const FrameLimits& limits) {
  const char* in = bytes.data();
  FramePrefix prefix;
  prefix.type = LoadLittleEndian<uint8_t>(in + kTypeAt);
  prefix.flags = LoadLittleEndian<uint8_t>(in + kFlagsAt);
  prefix.body_length = LoadLittleEndian<uint32_t>(in + kBodyLengthAt);
  prefix.data_length = LoadLittleEndian<uint32_t>(in + kDataLengthAt);
  prefix.chunk_length = LoadLittleEndian<uint32_t>(in + kChunkLengthAt);
  prefix.follow_length = LoadLittleEndian<uint32_t>(in + kFollowLengthAt);

  const std::optional<FrameType> known = KnownFrameType(prefix.type);
  if (!known.has_value() && prefix.type < kFirstSkippableType) {
    return absl::InvalidArgumentError(
        absl::StrCat(FrameTypeName(prefix.type), ": unknown, and types below 0x80 must be known"));
  }
  const auto reserved = LoadLittleEndian<uint16_t>(in + kReservedAt);
  if (reserved != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(FrameTypeName(prefix.type), ": reserved is 0x", absl::Hex(reserved, absl::kZeroPad4), ", not 0"));
  }
  if (prefix.body_length > limits.max_body_length) {
    return TooLong(prefix.type, "body_length", prefix.body_length, "max_body_length", limits.max_body_length);
  }
  if (prefix.data_length > limits.max_data_length) {
    return TooLong(prefix.type, "data_length", prefix.data_length, "max_data_length", limits.max_data_length);
  }
  if (prefix.chunk_length > limits.max_chunk_length) {
    return TooLong(prefix.type, "chunk_length", prefix.chunk_length, "max_chunk_length", limits.max_chunk_length);
  }
  if (prefix.chunk_length % kChunkUnit != 0) {
    return absl::InvalidArgumentError(absl::StrCat(FrameTypeName(prefix.type), ": chunk_length ", prefix.chunk_length,
                                                   " is not a multiple of ", kChunkUnit));
  }
  if (known.has_value()) {
    if (absl::Status status = CheckKnown(*known, prefix); !status.ok()) return status;
  }
  return prefix;
}

}  // namespace pagewire::wire
