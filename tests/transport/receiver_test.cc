// What the receiver does when the machine has no memory; all else it does is seen in the tests of sessions.
#include "transport/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "transport/lent_memory.h"
#include "wire/frame_type.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReceiverTest : public ::testing::Test, protected SessionHandler, protected Receiver::Outlet {
 protected:
  // A pool of 8 MiB of addresses, half of them for large blocks.
  ReceiverTest() : pool_(memory::PoolOptions{.reserve_bytes = 8 << 20}) {}

  ReceiverOptions Options() {
    ReceiverOptions options;
    options.held_budget = held_;
    options.pool = &pool_;
    options.initial_call_credit = 1 << 20;
    options.limits.max_message_bytes = 1 << 20;
    options.max_open_payloads = 3;
    return options;
  }

  // A call whose message announces the payload, which begins; its grant has come when this returns.
  absl::Status Begin(uint64_t id, uint64_t size) {
    receiver_.OpenCall(id);
    absl::Status status =
        receiver_.OnMessagePart(id, wire::kFlagHasMessage | wire::kFlagCovered | wire::kFlagEndStream, 0, id, {});
    if (!status.ok()) return status;
    wire::v1::PayloadBegin begin;
    begin.set_payload_id(id);
    begin.set_call_id(id);
    begin.set_size(size);
    return receiver_.OnPayloadBegin(begin, 0);
  }

  // A chunk; where its bytes go.
  ChunkTarget* Chunk(uint64_t id, uint64_t offset, uint64_t length) {
    wire::v1::Chunk chunk;
    chunk.set_payload_id(id);
    chunk.set_offset(offset);
    ChunkTarget* target = nullptr;
    EXPECT_EQ(receiver_.OnChunk(chunk, length, target), absl::OkStatus());
    return target;
  }

  // Receiver::Outlet
  void SendGrant(const wire::v1::Credit& grant) override { grants_.push_back(grant); }
  void SendReceipt(wire::v1::Receipt receipt) override { receipts_.push_back(std::move(receipt)); }
  std::function<void(absl::AnyInvocable<void()>)> Poster() override {
    return [](absl::AnyInvocable<void()> task) { std::move(task)(); };
  }
  void DropChunk() override { ++dropped_chunks_; }
  absl::AnyInvocable<void()> OnPayloadReleased(uint64_t payload_id) override {
    return [this, payload_id] { released_.push_back(payload_id); };
  }

  // SessionHandler
  void OnReady() override {}
  void OnCallStart(wire::v1::CallStart&&) override {}
  void OnInitialMetadata(uint64_t, wire::v1::MessagePart&&) override {}
  void OnMessage(uint64_t, IncomingMessage message) override { unread_.push_back(std::move(message.unread)); }
  void OnHalfClose(uint64_t) override {}
  void OnPayload(uint64_t, absl::StatusOr<Payload> payload, const TransferReport&, Unread unread) override {
    payloads_.push_back(*std::move(payload));
    unread_.push_back(std::move(unread));
  }
  void OnItemSent(uint64_t, uint64_t) override {}
  void OnRefused(uint64_t call_id, absl::Status status) override { refused_.emplace_back(call_id, std::move(status)); }
  void OnSent(uint64_t, const TransferReport&) override {}
  void OnCancel(wire::v1::Cancel&&) override {}
  void OnStatus(wire::v1::CallStatus&&) override {}
  void OnGoAway(const wire::v1::GoAway&) override {}
  std::string HolderOf(uint64_t call_id) override { return "call " + std::to_string(call_id); }
  void OnClosed(absl::Status) override {}

  memory::Pool pool_;
  std::shared_ptr<memory::Budget> held_ = std::make_shared<memory::Budget>("test", 1 << 30, "");
  std::vector<wire::v1::Credit> grants_;
  std::vector<wire::v1::Receipt> receipts_;
  std::vector<Payload> payloads_;
  std::deque<Unread> unread_;
  std::vector<std::pair<uint64_t, absl::Status>> refused_;
  int dropped_chunks_ = 0;
  std::vector<uint64_t> released_;
  Receiver receiver_{Options(), memory::ConnectionCreditBudget().Overdraw(64 << 10, "connection credit"), *this, *this};
};

TEST_F(ReceiverTest, WithoutMemoryOnlyTheCallEnds) {
  ASSERT_EQ(Begin(1, 64 << 20), absl::OkStatus());
  ASSERT_THAT(grants_, SizeIs(::testing::Ge(1)));
  uint64_t offset = 0;
  ChunkTarget* target = nullptr;
  do {
    target = Chunk(1, offset, 1 << 20);
    receiver_.OnChunkReceived(1 << 20);
    offset += 1 << 20;
  } while (refused_.empty() && offset < (64u << 20));
  ASSERT_THAT(refused_, SizeIs(1));
  EXPECT_EQ(refused_[0].first, 1u);
  EXPECT_EQ(refused_[0].second.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(target, nullptr) << "the bytes are thrown away";
  EXPECT_EQ(dropped_chunks_, 0);
  EXPECT_EQ(held_->reserved(), 0u);
  EXPECT_EQ(pool_.stats().in_use, 0u);

  // What was under way is counted, and another call has the memory.
  EXPECT_EQ(Chunk(1, offset, 1 << 20), nullptr);
  receiver_.OnChunkReceived(1 << 20);
  EXPECT_EQ(receiver_.received_bytes(), offset + (1 << 20));
  ASSERT_EQ(Begin(2, 1 << 20), absl::OkStatus());
  EXPECT_NE(Chunk(2, 0, 1 << 20), nullptr);
  EXPECT_THAT(refused_, SizeIs(1));
}

// The memory ends in the middle of a chunk: its first part had a place already, which is gone.
TEST_F(ReceiverTest, MemoryThatEndsInTheMiddleOfAChunkLeavesNoPlaces) {
  ASSERT_EQ(Begin(1, 64 << 20), absl::OkStatus());
  uint64_t offset = 0;
  ChunkTarget* target = nullptr;
  do {
    target = Chunk(1, offset, 768 << 10);  // so that chunks straddle blocks
    receiver_.OnChunkReceived(768 << 10);
    offset += 768 << 10;
  } while (refused_.empty() && offset < (64u << 20));
  ASSERT_THAT(refused_, SizeIs(1));
  EXPECT_EQ(target, nullptr);
}

TEST_F(ReceiverTest, DiscardInTheMiddleOfAChunkSaysSo) {
  ASSERT_EQ(Begin(1, 1 << 20), absl::OkStatus());
  receiver_.Discard(1);
  EXPECT_EQ(dropped_chunks_, 0) << "no chunk is under way";
  ASSERT_EQ(Begin(2, 1 << 20), absl::OkStatus());
  Chunk(2, 0, 8192);
  receiver_.Discard(2);
  receiver_.Discard(2);
  EXPECT_EQ(dropped_chunks_, 1);
  receiver_.OnChunkReceived(8192);
  ASSERT_EQ(Begin(3, 1 << 20), absl::OkStatus());
  Chunk(3, 0, 8192);
  receiver_.OnChunkReceived(8192);
  receiver_.CloseCall(3);
  EXPECT_EQ(dropped_chunks_, 1);
  EXPECT_EQ(held_->reserved(), 0u);
}

TEST_F(ReceiverTest, OpenPayloadsAreBounded) {
  for (uint64_t id = 1; id <= 3; ++id) ASSERT_EQ(Begin(id, 4096), absl::OkStatus());
  EXPECT_EQ(Begin(4, 4096),
            absl::ResourceExhaustedError("PAYLOAD_BEGIN: 3 payloads are open on this connection, which is the limit"));
}

TEST_F(ReceiverTest, AReceiptAddsUp) {
  ASSERT_EQ(Begin(1, 10'000), absl::OkStatus());
  const std::string bytes = Pattern(10'000);
  Chunk(1, 0, 8192)->Append(std::string_view(bytes).substr(0, 8192));
  receiver_.OnChunkReceived(8192);
  wire::v1::PayloadEnd end;
  end.set_payload_id(1);
  end.set_size(10'000);
  end.set_outcome(wire::v1::PayloadEnd::COMPLETE);
  ASSERT_EQ(receiver_.OnPayloadEnd(end, std::string_view(bytes).substr(8192)), absl::OkStatus());
  ASSERT_THAT(payloads_, SizeIs(1));
  EXPECT_EQ(Flat(payloads_[0]), bytes);
  EXPECT_EQ(held_->reserved(), 10'000u);
  ASSERT_THAT(receipts_, SizeIs(1));
  uint64_t total = receipts_[0].mapped_bytes();
  for (const wire::v1::CopiedBytes& part : receipts_[0].copied()) total += part.bytes();
  EXPECT_EQ(total, 10'000u);
  EXPECT_THAT(released_, IsEmpty());
  payloads_.clear();
  EXPECT_THAT(released_, ElementsAre(1));
  EXPECT_EQ(held_->reserved(), 0u);
}

// A grant by name raises the connection's limit by its item and nothing else, whatever the float did before.
TEST_F(ReceiverTest, AGrantIsExact) {
  uint64_t limit = 64 << 10;
  for (uint64_t id = 1; id <= 3; ++id) {
    ASSERT_EQ(Begin(id, id * 100'000), absl::OkStatus());
    for (const wire::v1::Credit& grant : grants_) {
      if (grant.call_id() != 0) {
        EXPECT_EQ(grant.connection_limit(), limit + id * 100'000);
        EXPECT_EQ(grant.call_limit(), std::max<uint64_t>(id * 100'000, 1 << 20));
      }
      limit = grant.connection_limit();
    }
    grants_.clear();
  }
}

TEST_F(ReceiverTest, TheFloatGrowsAgainWhereEverythingHasToAsk) {
  memory::Budget& budget = memory::ConnectionCreditBudget();
  {
    const memory::Reservation all = budget.Overdraw(budget.limit(), "the test");
    receiver_.OpenCall(1);
    ASSERT_EQ(receiver_.OnMessagePart(1, wire::kFlagHasMessage | wire::kFlagCovered | wire::kFlagMore, 60'000, 0, "x"),
              absl::OkStatus());
  }
  ASSERT_THAT(grants_, IsEmpty());
  receiver_.OpenCall(2);
  ASSERT_EQ(receiver_.OnMessagePart(2, wire::kFlagHasMessage | wire::kFlagMore, 50'000, 0, {}), absl::OkStatus());
  ASSERT_THAT(grants_, SizeIs(2));
  EXPECT_EQ(grants_[0].call_id(), 2u);
  EXPECT_EQ(grants_[0].connection_limit(), (64u << 10) + 50'000);
  EXPECT_EQ(grants_[1].call_id(), 0u);
  EXPECT_EQ(grants_[1].connection_limit(), (64u << 10) + 50'000 + 60'000);
}

}  // namespace
}  // namespace pagewire::transport::testing
