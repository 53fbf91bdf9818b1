// Every vector of prefaces, however its bytes are cut.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include "wire/decoded.h"
#include "wire/preface_decoder.h"
#include "wire/vectors.h"

namespace pagewire::wire {
namespace {

class PrefaceVectors : public testing::TestWithParam<Vector> {
 protected:
  // Feeds the bytes in pieces of `length` and returns the status at the end.
  absl::Status Feed(size_t length) {
    std::string_view bytes = GetParam().bytes;
    while (!bytes.empty() && !decoder_.done()) {
      const std::string piece(bytes.substr(0, length));
      const absl::StatusOr<size_t> consumed = decoder_.Decode(piece);
      if (!consumed.ok()) return consumed.status();
      EXPECT_EQ(*consumed, piece.size());
      bytes.remove_prefix(*consumed);
      EXPECT_EQ(decoder_.wanted() == 0, decoder_.done());
    }
    return absl::OkStatus();
  }

  void Expect(size_t length) {
    const absl::Status status = Feed(length);
    EXPECT_EQ(StatusText(status), GetParam().error);
    EXPECT_EQ(decoder_.done(), GetParam().error.empty());
    if (!decoder_.done()) return;
    const Preface& preface = decoder_.preface();
    v1::Preface body = preface.body;
    body.DiscardUnknownFields();
    std::string text = body.ShortDebugString();
    absl::StripAsciiWhitespace(&text);
    EXPECT_EQ(absl::StrCat("versions ", preface.min_version, " ", preface.max_version), GetParam().events[0].head);
    EXPECT_EQ(text, GetParam().events[0].body);
  }

  PrefaceDecoder decoder_;
};

TEST_P(PrefaceVectors, AllAtOnce) { Expect(GetParam().bytes.size()); }
TEST_P(PrefaceVectors, InThrees) { Expect(3); }

TEST_P(PrefaceVectors, AsWanted) {
  std::string_view bytes = GetParam().bytes;
  absl::StatusOr<size_t> consumed = 0;
  while (!decoder_.done() && consumed.ok() && !bytes.empty()) {
    consumed = decoder_.Decode(bytes.substr(0, decoder_.wanted()));
    if (consumed.ok()) bytes.remove_prefix(*consumed);
  }
  EXPECT_EQ(StatusText(consumed.status()), GetParam().error);
}

// What follows the preface is left alone.
TEST_P(PrefaceVectors, Encoded) {
  if (!GetParam().error.empty() || !GetParam().canonical) return;
  const std::string followed = GetParam().bytes + "frames";
  const absl::StatusOr<size_t> consumed = decoder_.Decode(followed);
  ASSERT_TRUE(consumed.ok()) << consumed.status();
  EXPECT_EQ(*consumed, GetParam().bytes.size());
  std::string bytes;
  AppendPreface(decoder_.preface(), bytes);
  EXPECT_EQ(bytes, GetParam().bytes);
}

std::string Name(const testing::TestParamInfo<Vector>& info) { return TestName(info.param); }

INSTANTIATE_TEST_SUITE_P(Right, PrefaceVectors, testing::ValuesIn(ReadVectors("prefaces.txt")), Name);
INSTANTIATE_TEST_SUITE_P(Violation, PrefaceVectors, testing::ValuesIn(ReadVectors("preface_violations.txt")), Name);

}  // namespace
}  // namespace pagewire::wire
