#include "call/wire_status.h"

#include <absl/strings/cord.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pagewire::call {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(WireStatusTest, CodeMessageAndDetailsSurvive) {
  absl::Status status(absl::StatusCode::kAborted, std::string("no\0text\xff", 8));
  status.SetPayload("type.googleapis.com/a.B", absl::Cord("detail"));
  wire::v1::CallStatus body;
  WriteStatus(status, body);
  EXPECT_EQ(body.code(), 10u);
  EXPECT_EQ(body.details_size(), 1);
  EXPECT_EQ(ReadStatus(body), status);
}

TEST(WireStatusTest, EveryCanonicalCodeMeansItself) {
  for (uint32_t code = 0; code <= 16; ++code) {
    wire::v1::CallStatus body;
    body.set_code(code);
    EXPECT_EQ(ReadStatus(body).code(), static_cast<absl::StatusCode>(code));
  }
}

TEST(WireStatusTest, AnyOtherNumberIsUnknown) {
  for (const uint32_t code : {17u, 18u, 1000u, 0xffffffffu}) {
    wire::v1::CallStatus body;
    body.set_code(code);
    body.set_message("what");
    EXPECT_EQ(ReadStatus(body), absl::UnknownError("what")) << code;
  }
}

TEST(WireStatusTest, MetadataKeepsTheOrderOfEqualKeys) {
  const Metadata metadata = {{"b", "2"}, {"a", "1"}, {"b", "1"}, {"c-bin", std::string("\0\xff", 2)}};
  google::protobuf::RepeatedPtrField<wire::v1::Metadata> list;
  WriteMetadata(metadata, list);
  EXPECT_EQ(ReadMetadata(list), metadata);
  EXPECT_THAT(ReadMetadata(list),
              ElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("b", "1"), Pair("c-bin", std::string("\0\xff", 2))));
}

}  // namespace
}  // namespace pagewire::call
