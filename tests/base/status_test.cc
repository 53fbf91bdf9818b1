#include "base/status.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

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

// ThreadSanitizer says no, unless it sees how the count of copies is lowered (tsan_status.cc).
TEST(StatusTest, CopiesMayEndOnDifferentThreads) {
  absl::Status status = WithDetails();
  std::atomic<bool> dropped = false;
  std::thread last([copy = status, &dropped]() mutable {
    while (!dropped.load(std::memory_order_relaxed)) continue;  // which orders nothing
    copy = absl::OkStatus();
  });
  EXPECT_EQ(status.message(), "no such blob");
  status = absl::OkStatus();
  dropped.store(true, std::memory_order_relaxed);
  last.join();
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
