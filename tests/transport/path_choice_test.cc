#include "transport/path_choice.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

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
  EXPECT_EQ(RequestedPaths(SendPath::kFixed, ReceivePath::kAuto).status(),
            absl::UnimplementedError("send path fixed is not part of this version, because it measured as no better "
                                     "than zerocopy; use auto, copy, zerocopy, splice or file"));
}

TEST_F(PathChoiceTest, AutoSendsLargePayloadsToOtherHostsWithoutACopy) {
  SendTerms terms{.zerocopy_possible = true, .whole_page_segments = true, .peer = std::make_shared<PeerPaths>()};
  EXPECT_EQ(ChooseSendPath(terms, 64 << 10, Backing::kOther).path, SendPath::kZerocopy);
  EXPECT_EQ(ChooseSendPath(terms, (64 << 10) - 1, Backing::kOther).path, SendPath::kCopy);
  EXPECT_EQ(ChooseSendPath(terms, (64 << 10) - 1, Backing::kOther).reason, CopyReason::kBelowThreshold);
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20, Backing::kOther).receive, ReceivePath::kMap);
  EXPECT_TRUE(ChooseSendPath(terms, 1 << 20, Backing::kOther).evidence.measured);
  terms.same_host = true;
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20, Backing::kOther).path, SendPath::kCopy);
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20, Backing::kOther).receive, ReceivePath::kCopy);
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20, Backing::kOther).reason, CopyReason::kSameHostCopy);
  terms.peer = nullptr;
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20, Backing::kOther).path, SendPath::kCopy);
  terms.requested = SendPath::kZerocopy;
  EXPECT_EQ(ChooseSendPath(terms, 4096, Backing::kOther).path, SendPath::kZerocopy)
      << "forced, whatever the size and the host";
  terms.quarantine_full = true;
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20, Backing::kOther).path, SendPath::kCopy);
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20, Backing::kOther).reason, CopyReason::kPolicy);
  terms.zerocopy_possible = false;
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20, Backing::kOther).reason, CopyReason::kKernelUnsupported);
  terms.requested = SendPath::kCopy;
  EXPECT_EQ(ChooseSendPath(terms, 1 << 20, Backing::kOther).reason, CopyReason::kForced);
}

TEST_F(PathChoiceTest, OnlyWhatCanBeGivenUpIsSplicedAndOnlyOnRequest) {
  SendTerms terms{.zerocopy_possible = true, .splice_possible = true};
  EXPECT_NE(ChooseSendPath(terms, 1 << 20, Backing::kLendable).path, SendPath::kSplice);
  terms.requested = SendPath::kSplice;
  EXPECT_EQ(ChooseSendPath(terms, 4096, Backing::kLendable).path, SendPath::kSplice);
  EXPECT_EQ(ChooseSendPath(terms, 4096, Backing::kOther).path, SendPath::kCopy);
  EXPECT_EQ(ChooseSendPath(terms, 4096, Backing::kOther).reason, CopyReason::kPolicy);
  terms.splice_possible = false;
  EXPECT_EQ(ChooseSendPath(terms, 4096, Backing::kLendable).reason, CopyReason::kKernelUnsupported);
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
  terms.requested = ReceivePath::kMap;
  terms.map_possible = terms.whole_page_segments = terms.arena = true;
  EXPECT_TRUE(ChooseReceivePath(terms).map);
  EXPECT_EQ(ChooseReceivePath(terms).map_from_bytes, 4096u);
  terms.without = CopyReason::kTls;
  EXPECT_EQ(ChooseReceivePath(terms).reason, CopyReason::kTls) << "whatever was asked for";
}

TEST_F(PathChoiceTest, OverTlsEverythingIsCopiedWhateverWasAskedFor) {
  SendTerms terms;
  terms.without = CopyReason::kTls;
  for (SendPath path : {SendPath::kAuto, SendPath::kCopy, SendPath::kZerocopy, SendPath::kSplice, SendPath::kFile}) {
    terms.requested = path;
    for (Backing backing : {Backing::kLendable, Backing::kFile, Backing::kOther}) {
      const SendChoice choice = ChooseSendPath(terms, 1 << 20, backing);
      EXPECT_EQ(choice.path, SendPath::kCopy);
      EXPECT_EQ(choice.reason, CopyReason::kTls);
    }
  }
}

}  // namespace
}  // namespace pagewire::transport::testing
