#include "transport/frame_scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "transport/lent_memory.h"
#include "wire/frame_decoder.h"
#include "wire/frame_encoder.h"
#include "wire/limits.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using wire::FrameType;

// Frames by name: "S1" a message of call 1, "s1" its status, "b1" its payload's begin, "C1" a chunk, "e1" the end, "."
// a ping.
class FrameSchedulerTest : public ::testing::Test, protected FrameScheduler::Observer {
 protected:
  FrameSchedulerTest() { window_.set_limit(1 << 20); }

  void PushMessage(uint64_t call_id, std::string bytes, bool with_payload = false) {
    wire::v1::MessagePart part;
    part.set_call_id(call_id);
    scheduler_.Push(
        call_id, OutgoingMessage{
                     .head = std::move(part), .bytes = std::move(bytes), .last = true, .with_payload = with_payload});
  }
  void PushPayload(uint64_t call_id, size_t size) {
    PushMessage(call_id, "", true);
    scheduler_.Push(call_id, OutgoingPayload{InMemory(Pattern(size))});
  }

  // Whether it went, and what it took.
  bool SendAtOnce(uint64_t call_id, std::string_view bytes) {
    wire::v1::MessagePart part;
    part.set_call_id(call_id);
    uint64_t credit = 0;
    const bool gone = scheduler_.SendAtOnce(call_id, part, bytes, credit);
    EXPECT_EQ(credit, gone ? wire::MessageCredit(bytes.size()) : 0);
    return gone;
  }
  bool SendStatusAtOnce(uint64_t call_id) {
    wire::v1::CallStatus status;
    status.set_call_id(call_id);
    return scheduler_.SendAtOnce(status);
  }

  // The batch that Fill makes.
  std::vector<std::string> Fill() {
    std::vector<std::string> frames;
    WriteBatch batch(ledger_);
    if (!scheduler_.Fill(batch)) return frames;
    wire::FrameDecoder decoder{wire::FrameLimits()};
    std::string_view bytes = batch.head();
    while (!bytes.empty()) {
      const absl::StatusOr<wire::FrameDecoder::Step> step = decoder.Decode(bytes);
      EXPECT_TRUE(step.ok()) << step.status();
      bytes.remove_prefix(step->consumed);
      frames.push_back(Name(decoder.frame()));
      if (decoder.chunk_remaining() > 0) decoder.ConsumeChunk(decoder.chunk_remaining());
    }
    return frames;
  }

  std::string Name(const wire::Frame& frame) {
    switch (frame.type()) {
      case FrameType::kMessage:
        return "S" + std::to_string(std::get<wire::v1::MessagePart>(frame.body).call_id());
      case FrameType::kPayloadBegin: {
        const auto& begin = std::get<wire::v1::PayloadBegin>(frame.body);
        call_of_[begin.payload_id()] = begin.call_id();
        return "b" + std::to_string(begin.call_id());
      }
      case FrameType::kChunk:
        return "C" + std::to_string(call_of_[std::get<wire::v1::Chunk>(frame.body).payload_id()]);
      case FrameType::kPayloadEnd:
        return "e" + std::to_string(call_of_[std::get<wire::v1::PayloadEnd>(frame.body).payload_id()]);
      case FrameType::kStatus:
        return "s" + std::to_string(std::get<wire::v1::CallStatus>(frame.body).call_id());
      default:
        return ".";
    }
  }

  void OnItemSent(uint64_t, uint64_t) override {}
  void OnPayloadSent(uint64_t, SentPayload) override {}
  void OnCallSent(uint64_t call_id, uint64_t) override { finished_.push_back(call_id); }

  SendCredit credit_{1 << 20, 1 << 20};
  SendWindow window_;
  const SendTerms terms_;
  AckLedger ledger_;
  FrameScheduler scheduler_{credit_, window_, terms_, *this};
  std::map<uint64_t, uint64_t> call_of_;
  std::vector<uint64_t> finished_;
};

TEST_F(FrameSchedulerTest, ControlFirstThenSmallFramesThenOneChunk) {
  scheduler_.AllowBulk(4096);
  PushPayload(1, 8192);
  EXPECT_THAT(Fill(), ElementsAre("S1", "b1", "C1"));
  PushMessage(2, "hello");
  PushMessage(3, "hello");
  wire::AppendFrame(FrameType::kPing, 0, wire::v1::Ping(), {}, scheduler_.control());
  EXPECT_THAT(Fill(), ElementsAre(".", "S2", "S3", "C1", "e1")) << "the end with the last chunk";
  EXPECT_THAT(Fill(), IsEmpty());
}

TEST_F(FrameSchedulerTest, CallsTakeTurns) {
  scheduler_.AllowBulk(4096);
  PushPayload(1, 4 * 4096);
  PushPayload(2, 2 * 4096);
  PushPayload(3, 4096 + 1);
  EXPECT_THAT(Fill(), ElementsAre("S1", "S2", "S3", "b1", "b2", "b3", "C1"));
  std::string order;
  for (auto frames = Fill(); !frames.empty(); frames = Fill()) {
    for (const std::string& frame : frames) order += frame + " ";
  }
  EXPECT_EQ(order, "C2 C3 e3 C1 C2 e2 C1 C1 e1 ");
}

TEST_F(FrameSchedulerTest, WhatWaitsForNothingIsAFrameAtOnceInItsOrder) {
  scheduler_.AllowBulk(4096);
  EXPECT_TRUE(scheduler_.empty());
  EXPECT_TRUE(SendAtOnce(1, "hello"));
  EXPECT_FALSE(scheduler_.empty());
  wire::AppendFrame(FrameType::kPing, 0, wire::v1::Ping(), {}, scheduler_.control());
  EXPECT_TRUE(SendStatusAtOnce(1));
  EXPECT_TRUE(SendAtOnce(2, ""));
  EXPECT_THAT(Fill(), ElementsAre("S1", ".", "s1", "S2"));
  EXPECT_TRUE(scheduler_.empty());
}

TEST_F(FrameSchedulerTest, NothingGoesAtOnceBeforeThePeerIsHeardOf) {
  EXPECT_FALSE(SendAtOnce(1, "hello"));
  EXPECT_FALSE(SendStatusAtOnce(1));
  EXPECT_TRUE(scheduler_.empty());
}

TEST_F(FrameSchedulerTest, NothingGoesAtOnceThatWouldOvertake) {
  scheduler_.AllowBulk(4096);
  PushMessage(1, "hello");
  EXPECT_FALSE(SendAtOnce(1, "of the same call"));
  EXPECT_FALSE(SendAtOnce(2, "of another"));
  EXPECT_FALSE(SendStatusAtOnce(1));
  EXPECT_TRUE(SendStatusAtOnce(2)) << "a call that has nothing in line";
  EXPECT_THAT(Fill(), ElementsAre("s2", "S1"));
}

TEST_F(FrameSchedulerTest, NothingGoesAtOnceBeyondItsCredit) {
  SendCredit credit(1000, 300);
  FrameScheduler scheduler(credit, window_, terms_, *this);
  scheduler.AllowBulk(4096);
  wire::v1::MessagePart part;
  uint64_t taken = 0;
  EXPECT_FALSE(scheduler.SendAtOnce(1, part, std::string(301, 'x'), taken)) << "of the call";
  EXPECT_EQ(credit.connection_available(), 1000u);
  for (uint64_t call = 1; call <= 3; ++call)
    EXPECT_TRUE(scheduler.SendAtOnce(call, part, std::string(300, 'x'), taken));
  EXPECT_FALSE(scheduler.SendAtOnce(4, part, std::string(101, 'x'), taken)) << "of the connection";
  EXPECT_TRUE(scheduler.SendAtOnce(4, part, std::string(100, 'x'), taken));
  EXPECT_EQ(credit.connection_available(), 0u);
}

TEST_F(FrameSchedulerTest, NothingLargeGoesAtOnce) {
  scheduler_.AllowBulk(4096);
  EXPECT_FALSE(SendAtOnce(1, std::string(4096, 'x')));
  wire::v1::CallStart start;
  start.add_metadata()->set_value(std::string(4096, 'v'));
  uint64_t credit = 0;
  EXPECT_FALSE(scheduler_.SendAtOnce(1, start, "", credit));
  wire::v1::CallStatus status;
  status.set_message(std::string(4096, 'm'));
  EXPECT_FALSE(scheduler_.SendAtOnce(status));
  EXPECT_TRUE(scheduler_.empty());
  EXPECT_TRUE(SendAtOnce(1, std::string(4000, 'x')));
}

TEST_F(FrameSchedulerTest, WhatGoesAtOnceLeavesRoomForThoseInLine) {
  scheduler_.AllowBulk(4096);
  const std::string message(1000, 'x');
  uint64_t last = 0;
  while (SendAtOnce(last + 1, message)) ASSERT_LT(++last, 100u);
  EXPECT_GT(last, 10u);
  PushMessage(last + 1, message);
  EXPECT_TRUE(SendStatusAtOnce(1)) << "small";
  EXPECT_FALSE(SendAtOnce(last + 2, ""));
  const std::vector<std::string> frames = Fill();
  ASSERT_THAT(frames, ::testing::SizeIs(last + 2));
  EXPECT_EQ(frames.back(), "S" + std::to_string(last + 1));
}

TEST_F(FrameSchedulerTest, OneLongMessageDoesNotHoldUpTheOthers) {
  PushMessage(1, std::string(60'000, 'x'));  // four parts
  PushMessage(2, "hello");
  EXPECT_THAT(Fill(), ElementsAre("S1", "S2", "S1", "S1", "S1"));
}

TEST_F(FrameSchedulerTest, ABatchOfSmallFramesIsBounded) {
  for (uint64_t id = 1; id <= 20; ++id) PushMessage(id, std::string(10'000, 'x'));
  WriteBatch batch(ledger_);
  ASSERT_TRUE(scheduler_.Fill(batch));
  EXPECT_LT(batch.bytes(), (64u << 10) + 10'100);
  EXPECT_GE(batch.bytes(), 64u << 10);
}

TEST_F(FrameSchedulerTest, AChunkGoesOutAlthoughThereAreAlwaysSmallFrames) {
  scheduler_.AllowBulk(4096);
  PushPayload(1, 3 * 4096);
  EXPECT_THAT(Fill(), ElementsAre("S1", "b1", "C1"));
  for (uint64_t id = 2; id <= 20; ++id) PushMessage(id, std::string(10'000, 'x'));
  EXPECT_EQ(Fill().back(), "C1");
}

TEST_F(FrameSchedulerTest, AFullWindowStopsBulkOnly) {
  window_.set_limit(4096);
  scheduler_.AllowBulk(4096);
  PushPayload(1, 3 * 4096);
  EXPECT_THAT(Fill(), ElementsAre("S1", "b1", "C1"));
  EXPECT_THAT(Fill(), IsEmpty());
  PushMessage(2, "hello");
  EXPECT_THAT(Fill(), ElementsAre("S2"));
  ASSERT_TRUE(window_.OnReceived(4096));
  EXPECT_THAT(Fill(), ElementsAre("C1"));
}

TEST_F(FrameSchedulerTest, WhoWaitsForCreditIsPassed) {
  SendCredit little(100, 100);
  FrameScheduler scheduler(little, window_, terms_, *this);
  wire::v1::MessagePart part;
  part.set_call_id(1);
  scheduler.Push(1, OutgoingMessage{.head = part, .bytes = std::string(200, 'x'), .last = true});
  part.set_call_id(2);
  scheduler.Push(2, OutgoingMessage{.head = part, .bytes = "hello", .last = true});
  scheduler.Finish(1);
  scheduler.Finish(2);
  WriteBatch batch(ledger_);
  ASSERT_TRUE(scheduler.Fill(batch));
  EXPECT_THAT(finished_, ElementsAre(2));
  EXPECT_FALSE(scheduler.empty()) << "it is not idle: something waits";
  ASSERT_TRUE(little.OnGrant(300, 1, 300));
  scheduler.OnGranted(1);
  batch.Clear();
  ASSERT_TRUE(scheduler.Fill(batch));
  EXPECT_THAT(finished_, ElementsAre(2, 1));
  EXPECT_TRUE(scheduler.empty());
}

TEST_F(FrameSchedulerTest, AFinishedCallIsReportedOnce) {
  PushMessage(1, "hello");
  scheduler_.Finish(1);
  EXPECT_THAT(finished_, IsEmpty());
  Fill();
  EXPECT_THAT(finished_, ElementsAre(1));
  EXPECT_TRUE(scheduler_.empty());
  finished_.clear();
  scheduler_.Finish(2);
  EXPECT_THAT(finished_, ElementsAre(2)) << "it had nothing to send";
}

TEST_F(FrameSchedulerTest, AnAbortedCallLosesItsTurn) {
  scheduler_.AllowBulk(4096);
  PushPayload(1, 10 * 4096);
  PushPayload(2, 3 * 4096);
  Fill();
  EXPECT_TRUE(scheduler_.Abort(1));
  EXPECT_THAT(Fill(), ElementsAre("e1", "C2"));
  EXPECT_THAT(Fill(), ElementsAre("C2"));
  EXPECT_TRUE(scheduler_.Abort(99)) << "of a call without a record everything was sent";
  PushMessage(3, "hello");
  EXPECT_FALSE(scheduler_.Abort(3));
  EXPECT_THAT(Fill(), ElementsAre("C2", "e2"));
}

TEST_F(FrameSchedulerTest, ClearReturnsPayloads) {
  scheduler_.AllowBulk(4096);
  LentMemory lent(10'000);
  PushMessage(1, "", true);
  scheduler_.Push(1, OutgoingPayload{lent.Lend()});
  Fill();
  scheduler_.Clear();
  ledger_.OnDead();
  lent.AwaitReturn();
  EXPECT_TRUE(scheduler_.empty());
  EXPECT_THAT(Fill(), IsEmpty());
}

}  // namespace
}  // namespace pagewire::transport::testing
