#include "transport/path_choice.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace pagewire::transport::testing {
namespace {

class PathChoiceTest : public ::testing::Test {
 protected:
  ~PathChoiceTest() override {
    unsetenv("PAGEWIRE_SEND_PATH");
    unsetenv("PAGEWIRE_RECEIVE_PATH");
  }
};

TEST_F(PathChoiceTest, TheEnvironmentDecidesWhereTheOptionsLeaveItOpen) {
  setenv("PAGEWIRE_SEND_PATH", "zerocopy", 1);
  setenv("PAGEWIRE_RECEIVE_PATH", "map", 1);
  absl::StatusOr<Paths> paths = RequestedPaths(SendPath::kAuto, ReceivePath::kAuto);
  ASSERT_TRUE(paths.ok()) << paths.status();
  EXPECT_EQ(paths->send, SendPath::kZerocopy);
  EXPECT_EQ(paths->receive, ReceivePath::kMap);
  paths = RequestedPaths(SendPath::kCopy, ReceivePath::kCopy);
  ASSERT_TRUE(paths.ok()) << paths.status();
  EXPECT_EQ(paths->send, SendPath::kCopy);
  EXPECT_EQ(paths->receive, ReceivePath::kCopy);
}

TEST_F(PathChoiceTest, WhatIsNoPathOrNotHereYetIsRefused) {
  setenv("PAGEWIRE_SEND_PATH", "fast", 1);
  EXPECT_EQ(
      RequestedPaths(SendPath::kAuto, ReceivePath::kAuto).status(),
      absl::InvalidArgumentError("PAGEWIRE_SEND_PATH is \"fast\"; use auto, copy, zerocopy, fixed, splice or file"));
  EXPECT_EQ(RequestedPaths(SendPath::kSplice, ReceivePath::kAuto).status(),
            absl::UnimplementedError("send path splice is not part of this version; use auto, copy or zerocopy"));
}

TEST_F(PathChoiceTest, AutoSendsLargePayloadsToOtherHostsWithoutACopy) {
  SendTerms terms{.zerocopy_possible = true};
  EXPECT_EQ(ChooseSendPath(terms, 64 << 10).path, SendPath::kZerocopy);
  EXPECT_EQ(ChooseSendPath(terms, (64 << 10) - 1).path, SendPath::kCopy);
  EXPECT_EQ(ChooseSendPath(terms, (64 << 10) - 1).reason, CopyReason::kBelowThreshold);
  terms.same_host = true;
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20).reason, CopyReason::kSameHostCopy);
  terms.requested = SendPath::kZerocopy;
  EXPECT_EQ(ChooseSendPath(terms, 4096).path, SendPath::kZerocopy) << "forced, whatever the size and the host";
  terms.quarantine_full = true;
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20).path, SendPath::kCopy);
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20).reason, CopyReason::kPolicy);
  terms.zerocopy_possible = false;
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20).reason, CopyReason::kKernelUnsupported);
  terms.requested = SendPath::kCopy;
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20).reason, CopyReason::kForced);
}

TEST_F(PathChoiceTest, MappingNeedsEverythingAndSaysWhatIsMissing) {
  ReceiveTerms terms{.map_possible = true, .whole_page_segments = true, .arena = true};
  EXPECT_TRUE(ChooseReceivePath(terms).map);
  EXPECT_EQ(ChooseReceivePath(terms).map_from_bytes, 64u << 10);
  terms.arena = false;
  EXPECT_EQ(ChooseReceivePath(terms).reason, CopyReason::kNoArena);
  terms.whole_page_segments = false;
  EXPECT_EQ(ChooseReceivePath(terms).reason, CopyReason::kMss);
  terms.map_possible = false;
  EXPECT_EQ(ChooseReceivePath(terms).reason, CopyReason::kKernelUnsupported);
  terms.same_host = true;
  EXPECT_EQ(ChooseReceivePath(terms).reason, CopyReason::kSameHostCopy);
  terms.requested = ReceivePath::kCopy;
  EXPECT_EQ(ChooseReceivePath(terms).reason, CopyReason::kForced);
  terms = {ReceivePath::kMap, /*same_host=*/true, true, true, true};
  EXPECT_TRUE(ChooseReceivePath(terms).map);
  EXPECT_EQ(ChooseReceivePath(terms).map_from_bytes, 4096u);
}

}  // namespace
}  // namespace pagewire::transport::testing
