#include "transport/outgoing_call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "transport/lent_memory.h"
#include "wire/frame_decoder.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using Turn = OutgoingCall::Turn;
using wire::FrameType;

constexpr uint64_t kCall = 7;

class OutgoingCallTest : public ::testing::Test, protected OutgoingCall::Observer {
 protected:
  OutgoingCallTest() { window_.set_limit(1 << 20); }

  // Takes the small turn; the one frame that comes of it.
  wire::Frame SendSmall() {
    EXPECT_EQ(call_.turn(), Turn::kSmall);
    bytes_.clear();
    call_.SendSmall(bytes_);
    return Decode();
  }

  wire::Frame Decode() {
    decoder_ = std::make_unique<wire::FrameDecoder>(wire::FrameLimits());
    const absl::StatusOr<wire::FrameDecoder::Step> step = decoder_->Decode(bytes_);
    EXPECT_TRUE(step.ok()) << step.status();
    return decoder_->frame();
  }

  // Takes the bulk turn; the frame without its chunk, and the payload's end where that came with it.
  std::pair<wire::Frame, std::optional<wire::Frame>> SendBulk(uint64_t chunk_bytes = 64 << 10) {
    EXPECT_EQ(call_.turn(), Turn::kBulk);
    WriteBatch batch(ledger_);
    EXPECT_TRUE(call_.SendBulk(batch, chunk_bytes, /*alone=*/true));
    bytes_ = batch.head();
    const wire::Frame first = Decode();
    const size_t size = wire::kFramePrefixBytes + first.prefix.body_length + first.prefix.data_length;
    if (bytes_.size() == size) return {first, std::nullopt};
    bytes_.erase(0, size);
    return {first, Decode()};
  }

  static OutgoingMessage Message(std::string bytes, bool last, bool with_payload = false) {
    wire::v1::MessagePart part;
    part.set_call_id(kCall);
    return {.head = std::move(part), .bytes = std::move(bytes), .last = last, .with_payload = with_payload};
  }

  static wire::v1::CallStatus Status() {
    wire::v1::CallStatus status;
    status.set_call_id(kCall);
    return status;
  }

  void OnItemSent(uint64_t call_id, uint64_t bytes) override {
    EXPECT_EQ(call_id, kCall);
    item_bytes_.push_back(bytes);
  }
  void OnPayloadSent(uint64_t call_id, SentPayload payload) override {
    EXPECT_EQ(call_id, kCall);
    EXPECT_EQ(payload.end, window_.sent());
    sent_.push_back({payload.payload_id, *payload.report});
  }

  std::vector<uint64_t> item_bytes_;  // of items that have left the line
  SendCredit credit_{64 << 10, 64 << 10};
  SendWindow window_;
  const SendTerms terms_;
  AckLedger ledger_;
  uint64_t last_payload_id_ = 40;
  std::vector<std::pair<uint64_t, TransferReport>> sent_;
  OutgoingCall call_{kCall, credit_, window_, terms_, last_payload_id_, *this};
  std::string bytes_;
  std::unique_ptr<wire::FrameDecoder> decoder_;
};

TEST_F(OutgoingCallTest, AMessageUpToAPartIsOneFrame) {
  call_.Push(Message(std::string(wire::kMessagePartBytes, 'x'), true));
  const wire::Frame frame = SendSmall();
  EXPECT_EQ(frame.type(), FrameType::kMessage);
  EXPECT_EQ(frame.prefix.flags, wire::kFlagHasMessage | wire::kFlagCovered | wire::kFlagEndStream);
  EXPECT_EQ(frame.data.size(), wire::kMessagePartBytes);
  EXPECT_TRUE(call_.empty());
  EXPECT_EQ(call_.turn(), Turn::kNone);
}

TEST_F(OutgoingCallTest, PiecesAreCutWhenTheirTurnComes) {
  const Payload payload = InMemory(Pattern(2 * kPieceBytes + 100));
  call_.AllowBulk();
  window_.set_limit(4 * kPieceBytes);
  credit_.RaiseInitial(4 * kPieceBytes, 4 * kPieceBytes);
  call_.Push(OutgoingPieces{payload});
  call_.Push(Status());
  for (const uint64_t size : {kPieceBytes, kPieceBytes, uint64_t{100}}) {
    wire::Frame frame = SendSmall();
    EXPECT_EQ(frame.type(), FrameType::kMessage);
    const uint64_t payload_id = std::get<wire::v1::MessagePart>(frame.body).payload_id();
    EXPECT_EQ(payload_id, last_payload_id_);
    EXPECT_EQ(std::get<wire::v1::MessagePart>(frame.body).message_size(), 0u);
    frame = SendSmall();
    EXPECT_EQ(frame.type(), FrameType::kPayloadBegin);
    EXPECT_EQ(std::get<wire::v1::PayloadBegin>(frame.body).size(), size);
    const auto [bulk, end] = SendBulk(kPieceBytes);
    EXPECT_EQ(bulk.type(), size >= 4096 ? FrameType::kChunk : FrameType::kPayloadEnd);
    EXPECT_EQ(end.has_value(), size >= 4096) << "with the last chunk";
  }
  EXPECT_EQ(SendSmall().type(), FrameType::kStatus);
  EXPECT_TRUE(call_.empty());
  EXPECT_THAT(item_bytes_, ::testing::ElementsAre(0, kPieceBytes, 0, kPieceBytes, 0, 100));
}

TEST_F(OutgoingCallTest, AbortedPiecesEndTheOneThatHasBegun) {
  const Payload payload = InMemory(Pattern(3 * kPieceBytes));
  call_.AllowBulk();
  call_.Push(OutgoingPieces{payload});
  SendSmall();
  SendSmall();
  EXPECT_TRUE(call_.Abort());
  const wire::Frame frame = SendSmall();
  EXPECT_EQ(frame.type(), FrameType::kPayloadEnd);
  EXPECT_EQ(std::get<wire::v1::PayloadEnd>(frame.body).outcome(), wire::v1::PayloadEnd::ABORTED);
  EXPECT_TRUE(call_.empty());
}

TEST_F(OutgoingCallTest, NoPiecesAreNothing) {
  call_.Push(OutgoingPieces{});
  EXPECT_TRUE(call_.empty());
}

TEST_F(OutgoingCallTest, ALongerMessageIsSentInParts) {
  const std::string message = Pattern(2 * wire::kMessagePartBytes + 1);
  wire::v1::CallStart start;
  start.set_call_id(kCall);
  call_.Push(OutgoingMessage{.head = std::move(start), .bytes = message, .last = true});
  std::string received;
  wire::Frame frame = SendSmall();
  EXPECT_EQ(frame.type(), FrameType::kCallStart);
  EXPECT_EQ(frame.prefix.flags, wire::kFlagHasMessage | wire::kFlagCovered | wire::kFlagMore);
  EXPECT_EQ(std::get<wire::v1::CallStart>(frame.body).message_size(), message.size());
  received += frame.data;
  frame = SendSmall();
  EXPECT_EQ(frame.type(), FrameType::kMessage);
  EXPECT_EQ(frame.prefix.flags, wire::kFlagContinuation | wire::kFlagMore);
  received += frame.data;
  frame = SendSmall();
  EXPECT_EQ(frame.prefix.flags, wire::kFlagContinuation | wire::kFlagEndStream);
  received += frame.data;
  EXPECT_EQ(received, message);
  EXPECT_TRUE(call_.empty());
}

TEST_F(OutgoingCallTest, AnEmptyMessageIsAMessage) {
  call_.Push(Message("", false));
  const wire::Frame frame = SendSmall();
  EXPECT_EQ(frame.prefix.flags, wire::kFlagHasMessage | wire::kFlagCovered);
  EXPECT_TRUE(call_.empty());
}

TEST_F(OutgoingCallTest, AMessageBeyondCreditIsAnnouncedAndWaits) {
  call_.Push(Message(Pattern(70'000), true));
  wire::Frame frame = SendSmall();
  EXPECT_EQ(frame.prefix.flags, wire::kFlagHasMessage | wire::kFlagMore);
  EXPECT_THAT(frame.data, IsEmpty());
  EXPECT_EQ(call_.turn(), Turn::kNone);
  ASSERT_TRUE(credit_.OnGrant((64 << 10) + 70'000, kCall, 70'000));
  call_.OnGranted();
  frame = SendSmall();
  EXPECT_EQ(frame.prefix.flags, wire::kFlagContinuation | wire::kFlagMore);
  EXPECT_EQ(frame.data, Pattern(70'000).substr(0, wire::kMessagePartBytes));
}

TEST_F(OutgoingCallTest, APayloadFollowsItsMessageUnderTheIdThatItAnnounced) {
  call_.AllowBulk();
  const std::string bytes = Pattern(3 * 4096 + 7);
  call_.Push(Message("m", true, true));
  call_.Push(OutgoingPayload{InMemory(bytes)});
  wire::Frame frame = SendSmall();
  EXPECT_EQ(std::get<wire::v1::MessagePart>(frame.body).payload_id(), 41u);
  frame = SendSmall();
  EXPECT_EQ(frame.prefix.flags, wire::kFlagCovered);
  EXPECT_EQ(std::get<wire::v1::PayloadBegin>(frame.body).payload_id(), 41u);
  EXPECT_EQ(std::get<wire::v1::PayloadBegin>(frame.body).size(), bytes.size());
  frame = SendBulk(8192).first;
  EXPECT_EQ(frame.prefix.chunk_length, 8192u);
  EXPECT_EQ(std::get<wire::v1::Chunk>(frame.body).offset(), 0u);
  EXPECT_THAT(sent_, IsEmpty());
  const auto [last, end] = SendBulk(8192);
  EXPECT_EQ(last.prefix.chunk_length, 4096u);
  EXPECT_EQ(std::get<wire::v1::Chunk>(last.body).offset(), 8192u);
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->type(), FrameType::kPayloadEnd);
  EXPECT_EQ(end->data, bytes.substr(3 * 4096));
  EXPECT_TRUE(call_.empty());
  ASSERT_THAT(sent_, SizeIs(1));
  EXPECT_EQ(sent_[0].first, 41u);
  EXPECT_EQ(sent_[0].second.payload_bytes, bytes.size());
  EXPECT_EQ(sent_[0].second.chunks, 2u);
  EXPECT_EQ(sent_[0].second.kernel_copied_bytes, bytes.size());
  EXPECT_EQ(window_.in_flight(), bytes.size());
}

TEST_F(OutgoingCallTest, APayloadWaitsForThePrefaceAndTheWindow) {
  window_.set_limit(8192 + 5);
  call_.Push(Message("m", true, true));
  call_.Push(OutgoingPayload{InMemory(Pattern(8192 + 6))});
  SendSmall();
  EXPECT_EQ(call_.turn(), Turn::kNone);
  call_.AllowBulk();
  SendSmall();
  SendBulk(8192);
  WriteBatch batch(ledger_);
  EXPECT_FALSE(call_.SendBulk(batch, 8192, true)) << "the tail needs one byte more";
  EXPECT_TRUE(batch.empty());
  ASSERT_TRUE(window_.OnReceived(4096));
  EXPECT_EQ(SendBulk().first.type(), FrameType::kPayloadEnd);
}

TEST_F(OutgoingCallTest, TheEndOfAFileFollowsItsChunk) {
  constexpr size_t kBytes = 64 << 10;  // what Payload::FromFile does not read at once
  call_.AllowBulk();
  credit_.RaiseInitial(2 * kBytes, 2 * kBytes);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), &std::fclose);
  ASSERT_EQ(ftruncate(fileno(file.get()), kBytes), 0);
  absl::StatusOr<Payload> payload = Payload::FromFile(fileno(file.get()), 0, kBytes);
  ASSERT_TRUE(payload.ok()) << payload.status();
  call_.Push(Message("m", true, true));
  call_.Push(OutgoingPayload{*std::move(payload)});
  SendSmall();
  SendSmall();
  EXPECT_FALSE(SendBulk(kBytes).second.has_value()) << "it is to say whether the file could be read";
  EXPECT_EQ(SendBulk().first.type(), FrameType::kPayloadEnd);
}

TEST_F(OutgoingCallTest, AnAbortBeforeAnythingWasSentLeavesNoTrace) {
  call_.AllowBulk();
  call_.Push(Message("m", true, true));
  call_.Push(OutgoingPayload{InMemory("bytes")});
  EXPECT_FALSE(call_.Abort());
  EXPECT_TRUE(call_.empty());
  EXPECT_EQ(last_payload_id_, 40u);
  EXPECT_EQ(credit_.connection_available(), 64u << 10);
}

TEST_F(OutgoingCallTest, AnAbortedPayloadIsEnded) {
  call_.AllowBulk();
  call_.Push(Message("m", false, true));
  call_.Push(OutgoingPayload{InMemory(Pattern(50'000))});
  call_.Push(Message("never sent", true));
  call_.Push(Status());
  SendSmall();
  SendSmall();
  SendBulk(8192);
  EXPECT_TRUE(call_.Abort());
  EXPECT_TRUE(call_.Abort()) << "twice is once";
  wire::Frame frame = SendSmall();
  const auto& end = std::get<wire::v1::PayloadEnd>(frame.body);
  EXPECT_EQ(end.outcome(), wire::v1::PayloadEnd::ABORTED);
  EXPECT_EQ(end.size(), 8192u);
  EXPECT_THAT(sent_, IsEmpty());
  frame = SendSmall();
  EXPECT_EQ(frame.type(), FrameType::kStatus);
  EXPECT_TRUE(call_.empty());
}

TEST_F(OutgoingCallTest, AnAbortedPayloadThatWaitsIsEndedAndItsGrantIsSpent) {
  call_.AllowBulk();
  call_.Push(Message("m", true, true));
  call_.Push(OutgoingPayload{InMemory(Pattern(100'000))});
  SendSmall();
  const wire::Frame begin = SendSmall();
  EXPECT_EQ(begin.prefix.flags, 0);
  EXPECT_EQ(call_.turn(), Turn::kNone);
  EXPECT_TRUE(call_.Abort());
  const wire::Frame end = SendSmall();
  EXPECT_EQ(std::get<wire::v1::PayloadEnd>(end.body).size(), 0u);
  EXPECT_TRUE(call_.empty());
  const uint64_t available = credit_.connection_available();
  EXPECT_FALSE(credit_.OnGrant((64 << 10) + 100'000, kCall, 100'001));
  EXPECT_EQ(credit_.connection_available(), available);
}

TEST_F(OutgoingCallTest, AnAbortedMessageIsDroppedAndTheStatusSent) {
  call_.Push(Message(Pattern(40'000), true));
  call_.Push(Status());
  SendSmall();
  EXPECT_TRUE(call_.Abort());
  EXPECT_EQ(SendSmall().type(), FrameType::kStatus);
  EXPECT_TRUE(call_.empty());
}

TEST_F(OutgoingCallTest, AnAbortedPayloadReturnsItsMemory) {
  LentMemory lent(50'000);
  call_.AllowBulk();
  call_.Push(Message("m", true, true));
  call_.Push(OutgoingPayload{lent.Lend()});
  SendSmall();
  SendSmall();
  call_.Abort();
  SendSmall();
  lent.AwaitReturn();
  EXPECT_EQ(lent.returned(), 1);
}

}  // namespace
}  // namespace pagewire::transport::testing
