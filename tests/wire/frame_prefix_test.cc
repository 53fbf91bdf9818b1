#include "wire/frame_prefix.h"

#include <gtest/gtest.h>

#include <string>

#include "wire/frame_type.h"

namespace pagewire::wire {
namespace {

TEST(FramePrefixTest, Layout) {
  char bytes[kFramePrefixBytes];
  EncodeFramePrefix({.type = 0x81,
                     .flags = 0x42,
                     .body_length = 0x01020304,
                     .data_length = 0x11121314,
                     .chunk_length = 0x21222000,
                     .follow_length = 0x31323334},
                    bytes);
  EXPECT_EQ(std::string_view(bytes, sizeof bytes),
            std::string_view("\x81\x42\x00\x00\x04\x03\x02\x01\x14\x13\x12\x11\x00\x20\x22\x21\x34\x33\x32\x31", 20));
}

TEST(FramePrefixTest, RoundTrip) {
  constexpr uint32_t kMost = 0xffffffff;
  char bytes[kFramePrefixBytes];
  EncodeFramePrefix(
      {.type = 0xfe, .flags = 1, .body_length = 2, .data_length = 3, .chunk_length = 4096, .follow_length = kMost},
      bytes);
  const absl::StatusOr<FramePrefix> prefix = DecodeFramePrefix(std::string_view(bytes, sizeof bytes), FrameLimits{});
  ASSERT_TRUE(prefix.ok()) << prefix.status();
  EXPECT_EQ(prefix->type, 0xfe);
  EXPECT_EQ(prefix->flags, 1);
  EXPECT_EQ(prefix->body_length, 2u);
  EXPECT_EQ(prefix->data_length, 3u);
  EXPECT_EQ(prefix->chunk_length, 4096u);
  EXPECT_EQ(prefix->follow_length, kMost);
}

// Every type with every flag: exactly the defined ones pass.
TEST(FramePrefixTest, EveryTypeAndFlag) {
  for (int type = 0; type <= 0xff; ++type) {
    const std::optional<FrameType> known = KnownFrameType(static_cast<uint8_t>(type));
    for (int flags = 0; flags <= 0xff; ++flags) {
      char bytes[kFramePrefixBytes];
      EncodeFramePrefix({.type = static_cast<uint8_t>(type),
                         .flags = static_cast<uint8_t>(flags),
                         .chunk_length = known == FrameType::kChunk ? 4096u : 0u},
                        bytes);
      const bool valid = known.has_value() ? (flags & ~DefinedFlags(*known)) == 0 : type >= kFirstSkippableType;
      ASSERT_EQ(DecodeFramePrefix(std::string_view(bytes, sizeof bytes), FrameLimits{}).ok(), valid) << type << flags;
    }
  }
}

TEST(FrameTypeTest, Names) {
  EXPECT_EQ(FrameTypeName(FrameType::kCallStart), "CALL_START");
  EXPECT_EQ(FrameTypeName(FrameType::kGoAway), "GO_AWAY");
  EXPECT_EQ(FrameTypeName(0x0d), "frame type 0x0d");
}

}  // namespace
}  // namespace pagewire::wire
