#include "wire/frame_encoder.h"

#include <gtest/gtest.h>

#include "wire/decoded.h"

namespace pagewire::wire {
namespace {

v1::MessagePart Part(uint64_t size) {
  v1::MessagePart body;
  body.set_call_id(1);
  body.set_message_size(size);
  return body;
}

TEST(FrameEncoderTest, AppendsToWhatIsThere) {
  std::string bytes;
  AppendFrame(FrameType::kMessage, kFlagHasMessage | kFlagCovered, Part(2), "ab", bytes);
  AppendFrame(FrameType::kMessage, kFlagHasMessage | kFlagCovered, Part(3), "cde", bytes);
  const Decoded decoded = DecodeAll(bytes, AllAtOnce);
  ASSERT_TRUE(decoded.status.ok()) << decoded.status;
  ASSERT_EQ(decoded.events.size(), 2u);
  EXPECT_EQ(decoded.events[0].data, "ab");
  EXPECT_EQ(decoded.events[1].data, "cde");
}

TEST(FrameEncoderTest, DataMayBeSentFromElsewhere) {
  std::string whole;
  AppendFrame(FrameType::kMessage, kFlagHasMessage | kFlagCovered, Part(2), "ab", whole);
  std::string head;
  AppendFrameHead(FrameType::kMessage, kFlagHasMessage | kFlagCovered, Part(2), 2, head);
  EXPECT_EQ(head + "ab", whole);
}

TEST(FrameEncoderTest, ChunkHeaderEndsWhereTheChunkBegins) {
  v1::Chunk body;
  body.set_payload_id(9);
  body.set_offset(4096);
  std::string bytes;
  AppendChunkHeader(body, 1 << 20, bytes, 77);
  bytes.append(1 << 20, 'c');
  const Decoded decoded = DecodeAll(bytes, AllAtOnce);
  ASSERT_TRUE(decoded.status.ok()) << decoded.status;
  EXPECT_EQ(decoded.events[0].body, "payload_id: 9 offset: 4096");
  EXPECT_EQ(decoded.events[0].chunk, 1u << 20);
  EXPECT_EQ(decoded.events[0].follow, 77u);
  EXPECT_EQ(decoded.chunks, std::string(1 << 20, 'c'));
  EXPECT_TRUE(decoded.at_boundary);
}

TEST(FrameEncoderTest, CheckFits) {
  const FrameLimits limits{.max_body_length = 20, .max_data_length = 5};
  v1::CallStatus body;
  body.set_message(std::string(18, 'm'));
  ASSERT_EQ(body.ByteSizeLong(), 20u);
  EXPECT_TRUE(CheckFits(FrameType::kStatus, body, 5, limits).ok());
  EXPECT_EQ(CheckFits(FrameType::kStatus, body, 6, limits),
            absl::ResourceExhaustedError("STATUS: its data of 6 bytes exceeds the peer's max_data_length of 5"));
  body.set_message(std::string(19, 'm'));
  EXPECT_EQ(CheckFits(FrameType::kStatus, body, 0, limits),
            absl::ResourceExhaustedError("STATUS: its body of 21 bytes exceeds the peer's max_body_length of 20"));
}

}  // namespace
}  // namespace pagewire::wire
