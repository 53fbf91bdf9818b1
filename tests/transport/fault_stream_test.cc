// The faults themselves; byte_stream_conformance_test shows that the contract holds under them.
#include "transport/fault_stream.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "transport/in_process_stream.h"
#include "transport/stream_end.h"

namespace pagewire::transport::testing {
namespace {

class FaultStreamTest : public ::testing::Test {
 protected:
  // The first end is under the plan, the other is not.
  void Connect(FaultPlan plan) {
    auto [first, second] = MakeInProcessPair(runner_.loop(0), runner_.loop(1), {.buffer_bytes = 100'000});
    auto faulty = std::make_unique<FaultStream>(std::move(first), runner_.loop(0), plan);
    a_ = std::make_unique<StreamEnd>(runner_, 0, std::move(faulty));
    b_ = std::make_unique<StreamEnd>(runner_, 1, std::move(second));
    a_->Start();
    b_->Start();
  }

  // What happens to 50 writes and 50 reads of 1000 bytes, as text.
  std::string Story(FaultPlan plan) {
    Connect(plan);
    std::string story;
    const std::string piece(1000, 'x');
    const iovec from = Over(piece);
    std::string out(1000, '\0');
    const iovec into = {out.data(), out.size()};
    for (int i = 0; i < 50; ++i) {
      const IoResult write = a_->TryWrite({&from, 1});
      EXPECT_TRUE(b_->WriteAll(piece));
      const IoResult read = a_->TryRead({&into, 1});
      absl::StrAppend(&story, static_cast<int>(write.state), ":", write.bytes, " ", static_cast<int>(read.state), ":",
                      read.bytes, " ");
      if (write.state == IoState::kBlocked) a_->AwaitWritable();
      if (read.state == IoState::kBlocked) a_->AwaitReadable();
    }
    return story;
  }

  ManualRunner runner_;
  std::unique_ptr<StreamEnd> a_;
  std::unique_ptr<StreamEnd> b_;
};

constexpr FaultPlan kBusy = {.seed = 7, .short_read = 0.5, .short_write = 0.5, .blocked = 0.2};

TEST_F(FaultStreamTest, OneSeedGivesOneStory) {
  const std::string story = Story(kBusy);
  EXPECT_EQ(Story(kBusy), story);
  FaultPlan other = kBusy;
  other.seed = 8;
  EXPECT_NE(Story(other), story);
}

TEST_F(FaultStreamTest, WithoutFaultsNothingIsChanged) {
  std::string expected;
  for (int i = 0; i < 50; ++i) expected += "0:1000 0:1000 ";
  EXPECT_EQ(Story({}), expected);
}

TEST_F(FaultStreamTest, ShortReadsAndWritesComeInAllSizes) {
  Connect({.seed = 3, .short_read = 1, .short_write = 1});
  std::vector<size_t> written, read;
  const std::string piece(4000, 'x');
  const iovec from = Over(piece);
  std::string out(4000, '\0');
  const iovec into = {out.data(), out.size()};
  for (int i = 0; i < 200; ++i) {
    written.push_back(a_->TryWrite({&from, 1}).bytes);
    b_->ReadExactly(written.back());
    ASSERT_TRUE(b_->WriteAll(piece.substr(0, 100)));
    read.push_back(a_->TryRead({&into, 1}).bytes);
    a_->ReadExactly(100 - std::min<size_t>(100, read.back()));
  }
  EXPECT_THAT(written, ::testing::Contains(1u));
  EXPECT_THAT(written, ::testing::Contains(::testing::Gt(2000u)));
  EXPECT_THAT(read, ::testing::Contains(1u));
}

TEST_F(FaultStreamTest, AnInjectedBlockLastsUntilItsNotification) {
  Connect({.seed = 1, .blocked = 1, .longest_delay = absl::Seconds(1)});
  runner_.Run(0, [&] {});
  auto& loop = static_cast<ManualLoop&>(runner_.loop(0));
  loop.RunUntilIdle();
  a_->TakeWritable();
  const absl::Time start = loop.Now();
  const iovec from = Over("x");
  EXPECT_EQ(a_->TryWrite({&from, 1}).state, IoState::kBlocked);
  EXPECT_EQ(a_->TryWrite({&from, 1}).state, IoState::kBlocked);
  EXPECT_EQ(a_->TakeWritable(), 0);
  EXPECT_TRUE(a_->AwaitWritable());
  EXPECT_GT(loop.Now(), start);
  EXPECT_LE(loop.Now(), start + absl::Seconds(1));
}

TEST_F(FaultStreamTest, DestructionCancelsTheDelay) {
  Connect({.blocked = 1});
  const iovec from = Over("x");
  EXPECT_EQ(a_->TryWrite({&from, 1}).state, IoState::kBlocked);
  a_->Destroy();
  runner_.Await([] { return false; });
}

TEST_F(FaultStreamTest, ResetsOnceTheBytesHavePassed) {
  Connect({.seed = 5, .reset_after_bytes = 10});
  ASSERT_TRUE(a_->WriteAll("1234567"));
  EXPECT_EQ(b_->ReadExactly(7), "1234567");
  ASSERT_TRUE(b_->WriteAll("12"));
  EXPECT_EQ(a_->ReadExactly(2), "12");
  ASSERT_TRUE(a_->WriteAll("x")) << "the tenth byte itself is still taken";
  const auto error = absl::UnavailableError(
      "connection to in-process with faults(seed=5, reset_after_bytes=10) failed: reset after 10 bytes");
  EXPECT_FALSE(a_->WriteAll("y"));
  EXPECT_EQ(a_->last().error, error);
  a_->ReadAll();
  EXPECT_EQ(a_->last().error, error);
  EXPECT_FALSE(a_->SendQueueEmpty());
  EXPECT_EQ(b_->WriteUntilFailure().error,
            absl::UnavailableError("connection to in-process failed: reset by the other end"));
}

TEST_F(FaultStreamTest, AResetWakesTheBlockedDirection) {
  Connect({.reset_after_bytes = 1});
  char byte;
  const iovec one = {&byte, 1};
  ASSERT_EQ(a_->TryRead({&one, 1}).state, IoState::kBlocked);
  runner_.Await([] { return false; });
  a_->TakeReadable();
  ASSERT_TRUE(a_->WriteAll("x"));
  EXPECT_TRUE(a_->AwaitReadable());
}

TEST_F(FaultStreamTest, NamesItsPlan) {
  Connect({.seed = 9, .short_read = 0.25, .short_write = 0.5, .blocked = 0.125, .longest_delay = absl::Seconds(2)});
  EXPECT_EQ(a_->stream().peer(),
            "in-process with faults(seed=9, short_read=0.25, short_write=0.5, blocked=0.125 for up to 2s)");
  EXPECT_EQ(a_->stream().fd(), -1);
  EXPECT_TRUE(a_->stream().same_host());
}

}  // namespace
}  // namespace pagewire::transport::testing
