#include <pagewire/internal/message_codec.h>

#include <absl/status/status.h>
#include <google/protobuf/message_lite.h>
#include <google/protobuf/wrappers.pb.h>
#include <gtest/gtest.h>

#include <string>

#include "proto2.pb.h"

namespace pagewire::internal {
namespace {

constexpr Method kMethod = {"/x.Y/Z", PayloadDirection::kNone};

// Says it is larger than protobuf can write, without being it.
class Huge final : public google::protobuf::MessageLite {
 public:
  std::string GetTypeName() const override { return "x.Huge"; }
  MessageLite* New(google::protobuf::Arena*) const override { return new Huge; }
  void Clear() override {}
  bool IsInitialized() const override { return true; }
  void CheckTypeAndMergeFrom(const MessageLite&) override {}
  size_t ByteSizeLong() const override { return size_t{1} << 31; }
  int GetCachedSize() const override { return 0; }
  uint8_t* _InternalSerialize(uint8_t* target, google::protobuf::io::EpsCopyOutputStream*) const override {
    ADD_FAILURE() << "serialized";
    return target;
  }
};

TEST(MessageCodecTest, ThereAndBack) {
  for (const size_t size : {0, 1, 127, 128, 100'000}) {
    google::protobuf::BytesValue message;
    message.set_value(std::string(size, 'x'));
    const auto bytes = Serialize(kMethod, Part::kRequest, message);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    EXPECT_EQ(*bytes, message.SerializeAsString());
    google::protobuf::BytesValue parsed;
    parsed.set_value("what was there before");
    ASSERT_TRUE(Parse(kMethod, Part::kRequest, *bytes, parsed).ok());
    EXPECT_EQ(parsed.value(), message.value());
  }
}

TEST(MessageCodecTest, AMessageOfTwoGibibytesIsTooLarge) {
  EXPECT_EQ(
      Serialize(kMethod, Part::kRequest, Huge()).status(),
      absl::ResourceExhaustedError("/x.Y/Z: request x.Huge is 2147483648 bytes and protobuf's limit is 2147483647; "
                                   "bulk bytes belong into a Payload, see option (pagewire.payload)"));
}

TEST(MessageCodecTest, BytesBeyondTheLimitAreNotLookedAt) {
  google::protobuf::BytesValue message;
  const std::string_view too_long("", size_t{1} << 31);  // a length that nobody reads
  EXPECT_EQ(Parse(kMethod, Part::kResponse, too_long, message),
            absl::InternalError("/x.Y/Z: response is not a valid google.protobuf.BytesValue (2147483648 bytes)"));
}

TEST(MessageCodecTest, TruncatedBytes) {
  google::protobuf::BytesValue message;
  message.set_value("abc");
  const std::string bytes = message.SerializeAsString();
  EXPECT_EQ(Parse(kMethod, Part::kRequest, bytes.substr(0, bytes.size() - 1), message),
            absl::InternalError("/x.Y/Z: request is not a valid google.protobuf.BytesValue (4 bytes)"));
}

TEST(MessageCodecTest, RequiredFieldsAreNamed) {
  two::Strict message;
  message.set_a(1);
  EXPECT_EQ(Serialize(kMethod, Part::kResponse, message).status(),
            absl::InvalidArgumentError("/x.Y/Z: response two.Strict lacks required fields: b"));
  EXPECT_EQ(Parse(kMethod, Part::kRequest, message.SerializePartialAsString(), message),
            absl::InternalError("/x.Y/Z: request is not a valid two.Strict (2 bytes): required fields are missing: b"));
}

}  // namespace
}  // namespace pagewire::internal
