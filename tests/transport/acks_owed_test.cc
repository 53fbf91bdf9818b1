#include "transport/acks_owed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "wire/frame_decoder.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

class AcksOwedTest : public ::testing::Test {
 protected:
  // The one ACK frame in out_.
  wire::v1::Ack Ack() {
    wire::FrameDecoder decoder{wire::FrameLimits()};
    const auto step = decoder.Decode(out_);
    EXPECT_TRUE(step.ok()) << step.status();
    EXPECT_EQ(step->consumed, out_.size());
    out_.clear();
    return std::get<wire::v1::Ack>(decoder.frame().body);
  }

  static std::vector<std::pair<uint64_t, uint64_t>> Ranges(const wire::v1::Ack& ack) {
    std::vector<std::pair<uint64_t, uint64_t>> ranges;
    for (const wire::v1::IdRange& range : ack.released()) ranges.emplace_back(range.first(), range.last());
    return ranges;
  }

  int told_ = 0;
  std::string out_;
  AcksOwed owed_{[this] { ++told_; }};
};

TEST_F(AcksOwedTest, NothingNewIsNoFrame) {
  owed_.Append(0, out_);
  EXPECT_EQ(out_, "");
  owed_.Append(10, out_);
  EXPECT_EQ(Ack().received_bytes(), 10u);
  owed_.Append(10, out_);
  EXPECT_EQ(out_, "");
}

TEST_F(AcksOwedTest, WhatWasReleasedRidesAlongAsRanges) {
  for (uint64_t id : {5, 3, 9, 4}) owed_.TellReleased(id)();
  EXPECT_EQ(told_, 1) << "once, until it was heeded";
  owed_.Append(0, out_);
  EXPECT_EQ(out_, "") << "it alone is no reason for an ack yet";
  owed_.Append(1, out_);
  EXPECT_THAT(Ranges(Ack()), ElementsAre(Pair(3, 5), Pair(9, 9)));
  owed_.TellReleased(10)();
  EXPECT_EQ(told_, 1);
  owed_.AppendReleased(1, out_);
  EXPECT_THAT(Ranges(Ack()), ElementsAre(Pair(10, 10)));
  owed_.AppendReleased(1, out_);
  EXPECT_EQ(out_, "");
  owed_.TellReleased(11)();
  EXPECT_EQ(told_, 2);
}

TEST_F(AcksOwedTest, MoreThanOneFrameTakesIsToldAgain) {
  for (uint64_t id = 1; id < 5000; id += 2) owed_.TellReleased(id)();
  size_t ranges = 0;
  for (int frames = 1; ranges < 2500; ++frames) {
    ASSERT_EQ(told_, frames);
    owed_.AppendReleased(0, out_);
    EXPECT_LT(out_.size(), 64u << 10);
    ranges += Ranges(Ack()).size();
  }
  EXPECT_EQ(told_, 3);
}

TEST_F(AcksOwedTest, AReleaseMayComeFromAnyThreadAndTooLate) {
  absl::AnyInvocable<void()> late;
  {
    int told = 0;
    AcksOwed owed([&told] { ++told; });
    std::vector<std::thread> threads;
    for (uint64_t id = 1; id <= 8; ++id) threads.emplace_back(owed.TellReleased(id));
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(told, 1);
    owed.Append(1, out_);
    EXPECT_THAT(Ranges(Ack()), ElementsAre(Pair(1, 8)));
    late = owed.TellReleased(9);
  }
  late();
}

}  // namespace
}  // namespace pagewire::transport::testing
