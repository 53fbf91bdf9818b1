// Every vector of frames, however its bytes are cut.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <absl/strings/match.h>

#include <random>

#include "wire/decoded.h"
#include "wire/frame_encoder.h"

namespace pagewire::wire {

void PrintTo(const ExpectedEvent& event, std::ostream* out) {
  *out << event.head << " {" << event.body << "} data " << event.data.size() << " chunk " << event.chunk << " follow "
       << event.follow;
}

namespace {

using ::testing::ElementsAreArray;

class FrameVectors : public testing::TestWithParam<Vector> {
 protected:
  void Expect(const Pieces& pieces) {
    const Decoded decoded = DecodeAll(GetParam().bytes, pieces);
    EXPECT_THAT(decoded.events, ElementsAreArray(GetParam().events));
    EXPECT_EQ(StatusText(decoded.status), GetParam().error);
    EXPECT_TRUE(decoded.at_boundary);
  }
};

TEST_P(FrameVectors, AllAtOnce) { Expect(AllAtOnce); }
TEST_P(FrameVectors, OneByOne) { Expect(OneByOne); }
TEST_P(FrameVectors, AsWanted) { Expect(AsWanted); }

TEST_P(FrameVectors, AtRandom) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Expect([&](size_t, size_t available) { return std::min<size_t>(available, 1 + random() % 40); });
  }
}

// Cut off anywhere, the bytes are neither a violation nor, within a frame, an end in order.
TEST_P(FrameVectors, Truncated) {
  const Vector& vector = GetParam();
  if (!vector.error.empty()) return;
  for (size_t length = 1; length < std::min<size_t>(vector.bytes.size(), 200); ++length) {
    const Decoded decoded = DecodeAll(std::string_view(vector.bytes).substr(0, length), AllAtOnce);
    ASSERT_TRUE(decoded.status.ok()) << decoded.status << " after " << length << " bytes";
    ASSERT_LE(decoded.events.size(), vector.events.size());
    if (decoded.events.empty()) {
      ASSERT_FALSE(decoded.at_boundary) << length;
    }
  }
}

FrameBody ParseBody(const ExpectedEvent& event) {
  for (uint8_t number = 1; KnownFrameType(number).has_value(); ++number) {
    const std::string name = FrameTypeName(number);
    if (event.head != name && !absl::StartsWith(event.head, name + " ")) continue;
    FrameBody body;
    google::protobuf::Message& message = EmplaceBody(static_cast<FrameType>(number), body);
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(event.body, &message)) << event.body;
    return body;
  }
  ADD_FAILURE() << event.head;
  return {};
}

uint8_t ParseFlags(const ExpectedEvent& event) {
  for (int flags = 0; flags <= 0xff; ++flags) {
    for (uint8_t type = 1; KnownFrameType(type).has_value(); ++type) {
      const FramePrefix prefix{.type = type, .flags = static_cast<uint8_t>(flags)};
      if (Head(prefix) == event.head) return prefix.flags;
    }
  }
  ADD_FAILURE() << event.head;
  return 0;
}

// The encoder writes exactly the vector's bytes.
TEST_P(FrameVectors, Encoded) {
  const Vector& vector = GetParam();
  if (!vector.canonical || !vector.error.empty()) return;
  std::string bytes;
  for (const ExpectedEvent& event : vector.events) {
    const FrameBody body = ParseBody(event);
    if (event.chunk > 0) {
      AppendChunkHeader(std::get<v1::Chunk>(body), event.chunk, bytes, event.follow);
      bytes.append(event.chunk, '\xab');
      continue;
    }
    const auto type = static_cast<FrameType>(body.index() + 1);
    std::visit([&](const auto& message) { AppendFrame(type, ParseFlags(event), message, event.data, bytes); }, body);
  }
  EXPECT_EQ(bytes, vector.bytes);
}

std::string Name(const testing::TestParamInfo<Vector>& info) { return TestName(info.param); }

INSTANTIATE_TEST_SUITE_P(Right, FrameVectors, testing::ValuesIn(ReadVectors("frames.txt")), Name);
INSTANTIATE_TEST_SUITE_P(Violation, FrameVectors, testing::ValuesIn(ReadVectors("violations.txt")), Name);

}  // namespace
}  // namespace pagewire::wire
