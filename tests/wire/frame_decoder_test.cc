#include "wire/frame_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/decoded.h"
#include "wire/frame_encoder.h"

namespace pagewire::wire {
namespace {

using Event = FrameDecoder::Event;

std::string PingFrame(uint64_t id) {
  v1::Ping body;
  body.set_id(id);
  std::string bytes;
  AppendFrame(FrameType::kPing, 0, body, {}, bytes);
  return bytes;
}

std::string MessageFrame(std::string_view data) {
  v1::MessagePart body;
  body.set_call_id(1);
  body.set_message_size(data.size());
  std::string bytes;
  AppendFrame(FrameType::kMessage, kFlagHasMessage | kFlagCovered, body, data, bytes);
  return bytes;
}

std::string ChunkFrame(uint32_t length) {
  v1::Chunk body;
  body.set_payload_id(1);
  std::string bytes;
  AppendChunkHeader(body, length, bytes);
  return bytes;
}

void AddReceipt(uint64_t payload_id, v1::Ack& ack) {
  v1::Receipt& receipt = *ack.add_receipts();
  receipt.set_payload_id(payload_id);
  receipt.set_receive_path(v1::RECEIVE_PATH_COPY);
}

std::string Prefix(const FramePrefix& prefix) {
  std::string bytes(kFramePrefixBytes, '\0');
  EncodeFramePrefix(prefix, bytes.data());
  return bytes;
}

class FrameDecoderTest : public testing::Test {
 protected:
  // One step; consumes from the front of `bytes`.
  Event Step(std::string_view& bytes) {
    const absl::StatusOr<FrameDecoder::Step> step = decoder_.Decode(bytes);
    EXPECT_TRUE(decoder_.InvariantHolds());
    if (!step.ok()) {
      ADD_FAILURE() << step.status();
      bytes = {};
      return Event::kNeedMore;
    }
    bytes.remove_prefix(step->consumed);
    return step->event;
  }

  FrameDecoder decoder_{FrameLimits{}};
};

TEST_F(FrameDecoderTest, YieldsOneFrameAtATime) {
  const std::string both = PingFrame(1) + PingFrame(2);
  std::string_view bytes = both;
  EXPECT_EQ(Step(bytes), Event::kFrame);
  EXPECT_EQ(std::get<v1::Ping>(decoder_.frame().body).id(), 1u);
  EXPECT_EQ(bytes.size(), PingFrame(2).size());
  EXPECT_EQ(Step(bytes), Event::kFrame);
  EXPECT_EQ(std::get<v1::Ping>(decoder_.frame().body).id(), 2u);
  EXPECT_EQ(Step(bytes), Event::kNeedMore);
}

TEST_F(FrameDecoderTest, DataThatIsWholeIsNotCopied) {
  const std::string frame = MessageFrame("hello");
  std::string_view bytes = frame;
  ASSERT_EQ(Step(bytes), Event::kFrame);
  EXPECT_EQ(decoder_.frame().data.data(), frame.data() + frame.size() - 5);
}

TEST_F(FrameDecoderTest, DataThatIsWholeAfterTheRestOfThePrefixIsNotCopied) {
  const std::string frame = MessageFrame("hello");
  std::string_view beginning = std::string_view(frame).substr(0, 7);
  std::string_view rest = std::string_view(frame).substr(7);
  EXPECT_EQ(Step(beginning), Event::kNeedMore);
  ASSERT_EQ(Step(rest), Event::kFrame);
  EXPECT_EQ(decoder_.frame().data.data(), frame.data() + frame.size() - 5);
}

TEST_F(FrameDecoderTest, DataThatCameInPiecesIsKeptUntilTheNextStep) {
  const std::string frame = MessageFrame("hello");
  {
    const std::string gone = frame.substr(0, frame.size() - 2);
    std::string_view bytes = gone;
    EXPECT_EQ(Step(bytes), Event::kNeedMore);
  }
  {
    const std::string gone = frame.substr(frame.size() - 2);
    std::string_view bytes = gone;
    ASSERT_EQ(Step(bytes), Event::kFrame);
  }
  EXPECT_EQ(decoder_.frame().data, "hello");
  EXPECT_TRUE(decoder_.at_boundary());
}

TEST_F(FrameDecoderTest, WantsExactlyWhatIsMissing) {
  const std::string frame = MessageFrame("hello");
  EXPECT_EQ(decoder_.wanted(), kFramePrefixBytes);
  EXPECT_TRUE(decoder_.at_boundary());
  std::string_view some = std::string_view(frame).substr(0, 5);
  EXPECT_EQ(Step(some), Event::kNeedMore);
  EXPECT_EQ(decoder_.wanted(), kFramePrefixBytes - 5);
  EXPECT_FALSE(decoder_.at_boundary());
  std::string_view more = std::string_view(frame).substr(5, kFramePrefixBytes - 5);
  EXPECT_EQ(Step(more), Event::kNeedMore);
  EXPECT_EQ(decoder_.wanted(), frame.size() - kFramePrefixBytes);
  std::string_view rest = std::string_view(frame).substr(kFramePrefixBytes);
  EXPECT_EQ(Step(rest), Event::kFrame);
  EXPECT_EQ(decoder_.wanted(), kFramePrefixBytes);
}

TEST_F(FrameDecoderTest, AChunkIsLeftToTheCaller) {
  const std::string frames = ChunkFrame(8192) + std::string(8192, 'c') + PingFrame(7);
  std::string_view bytes = frames;
  ASSERT_EQ(Step(bytes), Event::kFrame);
  EXPECT_EQ(decoder_.chunk_remaining(), 8192u);
  EXPECT_EQ(decoder_.wanted(), 8192u);
  EXPECT_EQ(bytes.size(), 8192 + PingFrame(7).size());
  EXPECT_FALSE(decoder_.at_boundary());

  // Until it has been taken, nothing is decoded.
  const size_t before = bytes.size();
  EXPECT_EQ(Step(bytes), Event::kChunk);
  EXPECT_EQ(bytes.size(), before);

  decoder_.ConsumeChunk(5000);
  EXPECT_EQ(decoder_.wanted(), 3192u);
  decoder_.ConsumeChunk(3192);
  EXPECT_TRUE(decoder_.at_boundary());
  bytes.remove_prefix(8192);
  EXPECT_EQ(Step(bytes), Event::kFrame);
  EXPECT_EQ(std::get<v1::Ping>(decoder_.frame().body).id(), 7u);
}

TEST_F(FrameDecoderTest, SkipsWhatItDoesNotKnowHoweverItComes) {
  const std::string frames = Prefix({.type = 0x80, .body_length = 3, .data_length = 2, .chunk_length = 4096}) +
                             std::string(3 + 2 + 4096, 's') + PingFrame(1);
  for (const Pieces& pieces : {Pieces(AllAtOnce), Pieces(OneByOne), Pieces(AsWanted)}) {
    const Decoded decoded = DecodeAll(frames, pieces);
    ASSERT_TRUE(decoded.status.ok()) << decoded.status;
    ASSERT_EQ(decoded.events.size(), 2u);
    EXPECT_EQ(decoded.events[0].head, "skipped 0x80");
    EXPECT_EQ(decoded.events[1].body, "id: 1");
  }
}

TEST_F(FrameDecoderTest, AViolationIsForEver) {
  const std::string bad = Prefix({.type = 0x7f});
  const absl::StatusOr<FrameDecoder::Step> first = decoder_.Decode(bad);
  EXPECT_EQ(first.status(), absl::InvalidArgumentError("frame type 0x7f: unknown, and types below 0x80 must be known"));
  EXPECT_EQ(decoder_.Decode(PingFrame(1)).status(), first.status());
}

TEST_F(FrameDecoderTest, LimitsAreTheReceivers) {
  const FrameLimits limits{.max_body_length = 10, .max_data_length = 20, .max_chunk_length = 4096};
  EXPECT_EQ(DecodeAll(Prefix({.type = 1, .body_length = 11}), AllAtOnce, limits).status,
            absl::ResourceExhaustedError("CALL_START: body_length 11 exceeds max_body_length, which is 10"));
  EXPECT_EQ(DecodeAll(Prefix({.type = 1, .data_length = 21}), AllAtOnce, limits).status,
            absl::ResourceExhaustedError("CALL_START: data_length 21 exceeds max_data_length, which is 20"));
  EXPECT_EQ(DecodeAll(Prefix({.type = 4, .chunk_length = 8192}), AllAtOnce, limits).status,
            absl::ResourceExhaustedError("CHUNK: chunk_length 8192 exceeds max_chunk_length, which is 4096"));
  EXPECT_TRUE(DecodeAll(Prefix({.type = 1, .body_length = 10, .data_length = 20}), AllAtOnce, limits).status.ok());
  EXPECT_TRUE(DecodeAll(Prefix({.type = 4, .body_length = 2, .chunk_length = 4096}), AllAtOnce, limits).status.ok());
}

TEST_F(FrameDecoderTest, NewLimitsAreForTheFramesThatFollow) {
  const std::string frame = MessageFrame(std::string(100, 'x'));
  std::string_view bytes = frame;
  EXPECT_EQ(Step(bytes), Event::kFrame);
  decoder_.set_limits({.max_body_length = 100, .max_data_length = 99});
  EXPECT_EQ(decoder_.Decode(frame).status(),
            absl::ResourceExhaustedError("MESSAGE: data_length 100 exceeds max_data_length, which is 99"));
}

// The largest frame there may be, byte by byte: it is kept once, and the next frame finds a clean decoder.
TEST_F(FrameDecoderTest, TheLargestFrameInPieces) {
  v1::MessagePart body;
  body.set_call_id(1);
  body.set_message_size(64 << 10);
  v1::Metadata& pair = *body.add_initial_metadata();
  pair.set_key("k");
  while (body.ByteSizeLong() < FrameLimits{}.max_body_length) pair.mutable_value()->push_back('v');
  ASSERT_EQ(body.ByteSizeLong(), FrameLimits{}.max_body_length);
  const std::string data(FrameLimits{}.max_data_length, 'd');
  std::string bytes;
  AppendFrame(FrameType::kMessage, kFlagHasMessage | kFlagCovered, body, data, bytes);
  bytes += PingFrame(5);
  const Decoded decoded = DecodeAll(bytes, OneByOne);
  ASSERT_TRUE(decoded.status.ok()) << decoded.status;
  ASSERT_EQ(decoded.events.size(), 2u);
  EXPECT_EQ(decoded.events[0].data, data);
  EXPECT_EQ(decoded.events[1].body, "id: 5");
}

TEST_F(FrameDecoderTest, ABodyHasNothingOfOnesBefore) {
  v1::CallStart full;
  full.set_call_id(1);
  full.set_method("/package.Service/AMethodWithALongName");
  full.set_timeout_us(7);
  full.add_metadata()->set_key("key");
  v1::CallStart large = full;
  large.mutable_metadata(0)->set_value(std::string(10'000, 'v'));
  v1::CallStart bare;
  bare.set_call_id(2);
  bare.set_method("/s/M");
  v1::Ack news;
  news.set_received_bytes(5);
  AddReceipt(3, news);
  v1::Ack plain;
  plain.set_received_bytes(6);
  const auto append = [](FrameType type, const google::protobuf::Message& body, std::string& out) {
    AppendFrame(type, 0, body, {}, out);
  };
  for (const v1::CallStart* before : {&full, &large}) {
    for (const bool apart : {false, true}) {
      std::string sent;
      append(FrameType::kCallStart, *before, sent);
      append(FrameType::kAck, news, sent);
      append(FrameType::kAck, plain, sent);
      if (apart) sent += PingFrame(1);
      append(FrameType::kCallStart, bare, sent);
      const std::vector<std::string> expected = {before->ShortDebugString(), news.ShortDebugString(),
                                                 plain.ShortDebugString()};
      std::string_view bytes = sent;
      for (const std::string& text : expected) {
        ASSERT_EQ(Step(bytes), Event::kFrame);
        std::visit([&](const auto& body) { EXPECT_EQ(body.ShortDebugString(), text); }, decoder_.frame().body);
      }
      if (apart) {
        ASSERT_EQ(Step(bytes), Event::kFrame);
      }
      ASSERT_EQ(Step(bytes), Event::kFrame);
      EXPECT_EQ(std::get<v1::CallStart>(decoder_.frame().body).ShortDebugString(), bare.ShortDebugString());
      EXPECT_EQ(bytes, "");
    }
  }
}

// Each list element keeps the memory that it ever had: frames that grow another one each time must not add up.
TEST_F(FrameDecoderTest, SmallBodiesDoNotAddUpToMuch) {
  for (int i = 0; i < 500; ++i) {
    v1::CallStart start;
    start.set_call_id(1);
    start.set_method("/s/M");
    for (int n = 0; n < i; ++n) start.add_metadata();
    start.add_metadata()->set_value(std::string(2000, 'v'));
    v1::Ack ack;
    for (int n = 0; n <= i; ++n) AddReceipt(1, ack);
    for (const auto& [type, body] :
         {std::pair<FrameType, const google::protobuf::Message*>(FrameType::kCallStart, &start),
          std::pair<FrameType, const google::protobuf::Message*>(FrameType::kAck, &ack)}) {
      std::string frame;
      AppendFrame(type, 0, *body, {}, frame);
      std::string_view bytes = frame;
      ASSERT_EQ(Step(bytes), Event::kFrame);
    }
  }
  v1::CallStart bare;
  bare.set_call_id(1);
  bare.set_method("/s/M");
  std::string frames;
  AppendFrame(FrameType::kAck, 0, v1::Ack(), {}, frames);
  AppendFrame(FrameType::kCallStart, 0, bare, {}, frames);
  std::string_view bytes = frames;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(Step(bytes), Event::kFrame);
    std::visit([](const auto& body) { EXPECT_LT(body.SpaceUsedLong(), 16u << 10); }, decoder_.frame().body);
  }
}

TEST_F(FrameDecoderTest, TheBodyMayBeMovedFrom) {
  const std::string both = MessageFrame("a") + MessageFrame("b");
  std::string_view bytes = both;
  ASSERT_EQ(Step(bytes), Event::kFrame);
  const v1::MessagePart taken = std::get<v1::MessagePart>(std::move(decoder_.frame().body));
  EXPECT_EQ(taken.call_id(), 1u);
  ASSERT_EQ(Step(bytes), Event::kFrame);
  EXPECT_EQ(std::get<v1::MessagePart>(decoder_.frame().body).call_id(), 1u);
  EXPECT_EQ(decoder_.frame().data, "b");
}

}  // namespace
}  // namespace pagewire::wire
