#include "base/status.h"

#include <gtest/gtest.h>

namespace pagewire::base {
namespace {

absl::Status WithDetails() {
  absl::Status status = absl::NotFoundError("no such blob");
  status.SetPayload("type/a", absl::Cord("details"));
  return status;
}

TEST(CloneStatusTest, IsEqual) {
  EXPECT_EQ(CloneStatus(WithDetails()), WithDetails());
  EXPECT_EQ(CloneStatus(absl::OkStatus()), absl::OkStatus());
}

TEST(AnnotateTest, PutsTheContextInFrontAndKeepsTheRest) {
  const absl::Status annotated = Annotate(WithDetails(), "reading x");
  EXPECT_EQ(annotated.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(annotated.message(), "reading x: no such blob");
  EXPECT_EQ(annotated.GetPayload("type/a"), absl::Cord("details"));
  EXPECT_EQ(Annotate(absl::OkStatus(), "reading x"), absl::OkStatus());
}

TEST(StringViewTest, ConvertsBothWays) {
  const std::string_view text("a\0b", 3);
  EXPECT_EQ(ToStd(ToAbsl(text)), text);
  EXPECT_EQ(ToAbsl(std::string_view()).size(), 0u);
}

}  // namespace
}  // namespace pagewire::base
