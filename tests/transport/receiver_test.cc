// What the receiver does when the machine has no memory, and when it says that a payload is released; all else it does
// is seen in the tests of sessions.
#include "transport/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "transport/arena.h"
#include "transport/lent_memory.h"
#include "transport/page.h"
#include "transport/stub_stream.h"
#include "wire/frame_type.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class ReceiverTest : public ::testing::Test, protected SessionHandler, protected Receiver::Outlet {
 protected:
  // A pool of `pool_bytes` of addresses, half of them for large blocks. `arena`: pages are mapped there; null: they are
  // copied.
  explicit ReceiverTest(std::shared_ptr<Arena> arena = nullptr, uint64_t pool_bytes = 8 << 20)
      : pool_(memory::PoolOptions{.reserve_bytes = pool_bytes}), arena_(std::move(arena)) {}

  ReceiverOptions Options() {
    ReceiverOptions options;
    options.held_budget = held_;
    options.pool = &pool_;
    options.arena = arena_.get();
    options.choice.map = arena_ != nullptr;
    options.initial_call_credit = 1 << 20;
    options.limits.max_message_bytes = 1 << 20;
    options.max_open_payloads = 3;
    return options;
  }

  // A call whose message announces the payload, which begins; if it is not covered its grant has come when this
  // returns, as far as there is memory.
  absl::Status Begin(uint64_t id, uint64_t size, uint8_t flags = 0) {
    receiver_.OpenCall(id);
    absl::Status status =
        receiver_.OnMessagePart(id, wire::kFlagHasMessage | wire::kFlagCovered | wire::kFlagEndStream, 0, id, {});
    if (!status.ok()) return status;
    wire::v1::PayloadBegin begin;
    begin.set_payload_id(id);
    begin.set_call_id(id);
    begin.set_size(size);
    return receiver_.OnPayloadBegin(begin, flags);
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

  // The payload's end, with a digest that is right for none.
  absl::Status End(uint64_t id, uint64_t size, std::string_view tail = {},
                   wire::v1::PayloadEnd::Outcome outcome = wire::v1::PayloadEnd::COMPLETE) {
    wire::v1::PayloadEnd end;
    end.set_payload_id(id);
    end.set_size(size);
    end.set_outcome(outcome);
    end.mutable_digest()->set_kind(wire::v1::Digest::XXH3_128);
    end.mutable_digest()->set_value(std::string(16, 'd'));
    return receiver_.OnPayloadEnd(end, tail);
  }

  // What payloads have of the pool and of the arena.
  uint64_t MemoryInUse() { return pool_.stats().in_use + (arena_ == nullptr ? 0 : arena_->stats().in_use); }

  // Receiver::Outlet
  void SendGrant(const wire::v1::Credit& grant) override { grants_.push_back(grant); }
  void SendReceipt(const wire::v1::Receipt& receipt) override { receipts_.push_back(receipt); }
  std::function<void(absl::AnyInvocable<void()>)> Poster() override {
    return [](absl::AnyInvocable<void()> task) { std::move(task)(); };
  }
  void DropChunk() override { ++dropped_chunks_; }
  absl::AnyInvocable<void()> OnPayloadReleased(uint64_t payload_id) override {
    return [this, payload_id] {
      EXPECT_EQ(MemoryInUse(), 0u) << "when payload " << payload_id << ", the only one, is told to be released";
      released_.push_back(payload_id);
    };
  }

  // SessionHandler
  void OnReady() override {}
  void OnCallStart(wire::v1::CallStart&&) override {}
  void OnInitialMetadata(uint64_t, wire::v1::MessagePart&&) override {}
  void OnMessage(uint64_t, IncomingMessage message) override { unread_.push_back(std::move(message.unread)); }
  void OnHalfClose(uint64_t) override {}
  void OnPayload(uint64_t, absl::StatusOr<Payload> payload, const TransferReport&, Unread unread) override {
    unread_.push_back(std::move(unread));
    if (payload.ok()) {
      payloads_.push_back(*std::move(payload));
    } else {
      failures_.push_back(std::move(payload).status());
    }
  }
  void OnItemSent(uint64_t, uint64_t) override {}
  void OnRefused(uint64_t call_id, absl::Status status) override { refused_.emplace_back(call_id, std::move(status)); }
  void OnSent(uint64_t, const TransferReport&) override {}
  void OnReceipt(uint64_t, const TransferReport&) override {}
  void OnCancel(wire::v1::Cancel&&) override {}
  void OnStatus(wire::v1::CallStatus&&) override {}
  void OnGoAway(const wire::v1::GoAway&) override {}
  bool MayRefuse(uint64_t) override { return false; }
  std::string_view HolderOf(uint64_t call_id) override { return holder_ = "call " + std::to_string(call_id); }
  void OnClosed(absl::Status) override {}

  memory::Pool pool_;
  const std::shared_ptr<Arena> arena_;
  std::shared_ptr<memory::Budget> held_ = std::make_shared<memory::Budget>("test", 1 << 30, "");
  std::vector<wire::v1::Credit> grants_;
  std::string holder_;
  std::vector<wire::v1::Receipt> receipts_;
  std::vector<Payload> payloads_;
  std::vector<absl::Status> failures_;
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

TEST_F(ReceiverTest, APayloadBeginsOnce) {
  receiver_.OpenCall(1);
  ASSERT_EQ(receiver_.OnMessagePart(1, wire::kFlagHasMessage | wire::kFlagCovered, 0, 1, {}), absl::OkStatus());
  wire::v1::PayloadBegin begin;
  begin.set_payload_id(1);
  begin.set_call_id(99);
  begin.set_size(4096);
  ASSERT_EQ(receiver_.OnPayloadBegin(begin, wire::kFlagCovered), absl::OkStatus()) << "of a call that is over";
  begin.set_call_id(1);
  EXPECT_EQ(receiver_.OnPayloadBegin(begin, wire::kFlagCovered),
            absl::InvalidArgumentError("PAYLOAD_BEGIN: payload 1 has begun already"));
}

TEST_F(ReceiverTest, AReceiptAddsUp) {
  ASSERT_EQ(Begin(1, 10'000), absl::OkStatus());
  const std::string bytes = Pattern(10'000);
  Chunk(1, 0, 8192)->Append(std::string_view(bytes).substr(0, 8192));
  receiver_.OnChunkReceived(8192);
  ASSERT_EQ(End(1, 10'000, std::string_view(bytes).substr(8192)), absl::OkStatus());
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

// A payload that is handed over is told once, by whoever drops it last; any other as soon as it has ended.
TEST_F(ReceiverTest, EveryPayloadIsToldToBeReleasedOnce) {
  ASSERT_EQ(Begin(1, 4096), absl::OkStatus());
  Chunk(1, 0, 4096);
  receiver_.OnChunkReceived(4096);
  ASSERT_EQ(End(1, 4096), absl::OkStatus());
  EXPECT_THAT(released_, IsEmpty()) << "the application has it";
  receiver_.CloseCall(1);
  EXPECT_THAT(released_, IsEmpty()) << "and keeps it when its call is over";
  payloads_.clear();
  EXPECT_THAT(released_, ElementsAre(1));

  ASSERT_EQ(Begin(2, 0), absl::OkStatus());
  ASSERT_EQ(End(2, 0), absl::OkStatus());
  EXPECT_THAT(payloads_, SizeIs(1)) << "of no bytes, which nobody can hold";
  payloads_.clear();
  EXPECT_THAT(released_, ElementsAre(1, 2));

  ASSERT_EQ(Begin(3, 4096), absl::OkStatus());
  ASSERT_EQ(End(3, 0, {}, wire::v1::PayloadEnd::ABORTED), absl::OkStatus());
  EXPECT_EQ(End(3, 0, {}, wire::v1::PayloadEnd::ABORTED),
            absl::InvalidArgumentError("PAYLOAD_END: payload 3 has ended"));
  EXPECT_EQ(End(9, 0, {}, wire::v1::PayloadEnd::ABORTED),
            absl::InvalidArgumentError("PAYLOAD_END: payload 9 was never opened"));
  EXPECT_THAT(released_, ElementsAre(1, 2, 3));
}

TEST_F(ReceiverTest, APayloadThatFailsAtItsSenderIsReleased) {
  uint64_t id = 0;
  for (const auto outcome : {wire::v1::PayloadEnd::ABORTED, wire::v1::PayloadEnd::SOURCE_FAILED}) {
    ASSERT_EQ(Begin(++id, 1 << 20), absl::OkStatus());
    Chunk(id, 0, 8192);
    receiver_.OnChunkReceived(8192);
    EXPECT_GT(MemoryInUse(), 0u);
    ASSERT_EQ(End(id, 8192, {}, outcome), absl::OkStatus());
  }
  EXPECT_THAT(released_, ElementsAre(1, 2));
  EXPECT_THAT(failures_, ElementsAre(absl::AbortedError("the sender gave up its payload after 8192 bytes"),
                                     absl::DataLossError("the payload's source failed at the sender: ")));
  EXPECT_THAT(receipts_, IsEmpty());
}

// Before its end chunks may still come, which a release told too early would leave out at the sender.
TEST_F(ReceiverTest, ADiscardedPayloadIsReleasedWhenItHasEnded) {
  for (uint64_t id = 1; id <= 3; ++id) {
    ASSERT_EQ(Begin(id, 12'288), absl::OkStatus());
    Chunk(id, 0, 8192);
    if (id == 1) receiver_.Discard(id);  // in the middle of a chunk
    receiver_.OnChunkReceived(8192);
    if (id == 2) receiver_.Discard(id);    // between two
    if (id == 3) receiver_.CloseCall(id);  // and nothing is known of the call any more
    EXPECT_EQ(MemoryInUse(), 0u);
    EXPECT_EQ(Chunk(id, 8192, 4096), nullptr);
    receiver_.OnChunkReceived(4096);
    EXPECT_THAT(released_, SizeIs(id - 1));
    ASSERT_EQ(End(id, 12'288), absl::OkStatus()) << "its sender had finished before it heard of it";
    EXPECT_THAT(released_, SizeIs(id));
  }
  EXPECT_THAT(released_, ElementsAre(1, 2, 3));
  EXPECT_THAT(payloads_, IsEmpty());
  EXPECT_THAT(receipts_, IsEmpty()) << "which would say that the application had it";
}

TEST_F(ReceiverTest, APayloadOfACallThatIsOverIsReleased) {
  receiver_.OpenCall(1);
  ASSERT_EQ(receiver_.OnMessagePart(1, wire::kFlagHasMessage | wire::kFlagCovered | wire::kFlagEndStream, 0, 1, {}),
            absl::OkStatus());
  receiver_.CloseCall(1);
  EXPECT_THAT(released_, IsEmpty()) << "it may still begin; if it does not, nobody holds anything";
  wire::v1::PayloadBegin begin;
  begin.set_payload_id(1);
  begin.set_call_id(1);
  begin.set_size(4096);
  ASSERT_EQ(receiver_.OnPayloadBegin(begin, 0), absl::OkStatus());
  ASSERT_EQ(End(1, 0, {}, wire::v1::PayloadEnd::ABORTED), absl::OkStatus());
  EXPECT_THAT(released_, ElementsAre(1));
}

TEST_F(ReceiverTest, APayloadThatIsRefusedIsReleased) {
  ItemLimits limits;
  limits.max_message_bytes = 1 << 20;
  limits.max_payload_bytes = 4096;
  limits.payload_option = "the test's limit";
  receiver_.OpenCall(1);
  receiver_.LimitCall(1, limits);
  ASSERT_EQ(Begin(1, 8192), absl::OkStatus());
  EXPECT_THAT(refused_, ElementsAre(Pair(1, absl::ResourceExhaustedError("payload of 8192 bytes is larger than the "
                                                                         "limit of 4096; raise the test's limit"))));
  EXPECT_THAT(released_, IsEmpty());
  ASSERT_EQ(End(1, 0, {}, wire::v1::PayloadEnd::ABORTED), absl::OkStatus());
  EXPECT_THAT(released_, ElementsAre(1));
}

TEST_F(ReceiverTest, APayloadThatThereIsNoMemoryForIsReleased) {
  ASSERT_EQ(Begin(1, 64 << 20), absl::OkStatus());
  uint64_t offset = 0;
  for (; refused_.empty() && offset < (64u << 20); offset += 1 << 20) {
    Chunk(1, offset, 1 << 20);
    receiver_.OnChunkReceived(1 << 20);
  }
  ASSERT_THAT(refused_, SizeIs(1));
  ASSERT_EQ(End(1, offset, {}, wire::v1::PayloadEnd::ABORTED), absl::OkStatus());
  EXPECT_THAT(released_, ElementsAre(1));
}

TEST_F(ReceiverTest, APayloadWithAWrongDigestIsReleased) {
  receiver_.ExpectDigests();
  ASSERT_EQ(Begin(1, 8192), absl::OkStatus());
  Chunk(1, 0, 8192)->Append(Pattern(8192));
  receiver_.OnChunkReceived(8192);
  ASSERT_EQ(End(1, 8192), absl::OkStatus());
  ASSERT_THAT(failures_, SizeIs(1));
  EXPECT_EQ(failures_[0].code(), absl::StatusCode::kDataLoss) << failures_[0];
  EXPECT_THAT(released_, ElementsAre(1));
  EXPECT_THAT(receipts_, IsEmpty());
}

TEST_F(ReceiverTest, AConnectionThatHasDiedTellsNothing) {
  ASSERT_EQ(Begin(1, 8192), absl::OkStatus());
  Chunk(1, 0, 8192);
  receiver_.Clear();
  EXPECT_THAT(released_, IsEmpty());
}

// Mapped pages are the sender's own: what is told to be released must be out of reach.
class MappingReceiverTest : public ReceiverTest {
 protected:
  // Has so many pages to map, once.
  class Pages final : public StubStream {
   public:
    explicit Pages(size_t count) : count_(count) {}
    MapResult Map(const MapRequest&) override {
      if (count_ == 0) return MapResult::Without(IoState::kBlocked);
      MapResult result;
      result.mapped = std::exchange(count_, 0) * kPageBytes;
      return result;
    }

   private:
    size_t count_;
  };

  MappingReceiverTest() : ReceiverTest(*Arena::Create({.bytes = 8 << 20})) {}

  // Two of the four pages of the payload's first chunk.
  void MapHalf(uint64_t id) {
    ASSERT_EQ(Begin(id, 32'768), absl::OkStatus());
    Pages pages(2);
    ASSERT_EQ(Chunk(id, 0, 16'384)->Receive(pages, 16'384, {}).io.bytes, 8192u);
    ASSERT_GT(arena_->stats().in_use, 0u);
  }
};

TEST_F(MappingReceiverTest, PagesOfADiscardedPayloadAreGoneWhenItIsReleased) {
  MapHalf(1);
  receiver_.Discard(1);
  EXPECT_EQ(dropped_chunks_, 1);
  EXPECT_EQ(arena_->stats().in_use, 0u);
  EXPECT_THAT(released_, IsEmpty());
  receiver_.OnChunkReceived(16'384);
  ASSERT_EQ(End(1, 16'384, {}, wire::v1::PayloadEnd::ABORTED), absl::OkStatus());
  EXPECT_THAT(released_, ElementsAre(1));
}

TEST_F(MappingReceiverTest, PagesOfAnAbortedPayloadAreGoneWhenItIsReleased) {
  MapHalf(1);
  Pages rest(2);
  ASSERT_EQ(Chunk(1, 16'384, 8192)->Receive(rest, 8192, {}).io.bytes, 8192u);
  receiver_.OnChunkReceived(8192);
  EXPECT_GT(arena_->stats().in_use, 0u);
  ASSERT_EQ(End(1, 24'576, {}, wire::v1::PayloadEnd::ABORTED), absl::OkStatus());
  EXPECT_THAT(released_, ElementsAre(1));
  EXPECT_THAT(failures_, SizeIs(1));
}

TEST_F(MappingReceiverTest, PagesThatAreHandedOverAreReleasedByTheApplication) {
  ASSERT_EQ(Begin(1, 8192), absl::OkStatus());
  Pages pages(2);
  ASSERT_EQ(Chunk(1, 0, 8192)->Receive(pages, 8192, {}).io.bytes, 8192u);
  receiver_.OnChunkReceived(8192);
  ASSERT_EQ(End(1, 8192), absl::OkStatus());
  EXPECT_THAT(released_, IsEmpty());
  EXPECT_GT(arena_->stats().in_use, 0u);
  payloads_.clear();
  EXPECT_THAT(released_, ElementsAre(1));
}

// A grant by name raises the connection's limit by its item and nothing else, whatever the float did before.
TEST_F(ReceiverTest, AGrantIsExact) {
  uint64_t limit = 64 << 10;
  for (uint64_t id = 1; id <= 3; ++id) {
    ASSERT_EQ(Begin(id, id * 100'000), absl::OkStatus());
    for (const wire::v1::Credit& grant : grants_) {
      if (grant.call_id() != 0) {
        EXPECT_EQ(grant.connection_limit(), limit + id * 100'000);
        EXPECT_EQ(grant.call_limit(), (1 << 20) + id * 100'000) << "the call keeps what it may start without asking";
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

// Payloads that the held budget has no room for stay on the float, which is then not made whole for them.
class FullReceiverTest : public ReceiverTest {
 protected:
  static constexpr uint64_t kFloat = 8 << 20;
  static constexpr uint64_t kSize = 100'000;

  FullReceiverTest() : ReceiverTest(nullptr, 64 << 20) {
    // One payload that the budget has room for, so that the float grows.
    Start(1, 4096, 0);
    EXPECT_EQ(End(1, 0, {}, wire::v1::PayloadEnd::ABORTED), absl::OkStatus());
    EXPECT_EQ(receiver_.float_bytes(), kFloat);
    all_ = held_->TryReserve(held_->limit(), "the test");
    announced_ = grants_.back().connection_limit();
  }

  // While there is a receiver to be told.
  void TearDown() override { payloads_.clear(); }

  void Start(uint64_t id, uint64_t size, uint8_t flags) { ASSERT_EQ(Begin(id, size, flags), absl::OkStatus()); }

  // A payload that is started as covered, and delivered.
  void Deliver(uint64_t id) {
    Start(id, kSize, wire::kFlagCovered);
    Chunk(id, 0, kSize);
    receiver_.OnChunkReceived(kSize);
    ASSERT_EQ(End(id, kSize), absl::OkStatus());
    ASSERT_THAT(refused_, IsEmpty());
    for (Unread& unread : unread_) receiver_.OnRead(id, std::move(unread));
    unread_.clear();
    receiver_.CloseCall(id);
  }

  absl::AnyInvocable<void()> OnPayloadReleased(uint64_t payload_id) override {
    return [this, payload_id] { released_.push_back(payload_id); };
  }

  std::optional<memory::Reservation> all_;
  uint64_t announced_ = 0;
};

TEST_F(FullReceiverTest, WhatIsHeldOnTheFloatIsNotFilledUpAgain) {
  uint64_t id = 2;
  for (; receiver_.float_bytes() >= kSize && !HasFatalFailure(); ++id) {
    Deliver(id);
    ASSERT_LE(receiver_.float_bytes() + payloads_.size() * kSize, kFloat);
  }
  EXPECT_THAT(payloads_, SizeIs(::testing::Ge((kFloat - kFloat / 4) / kSize)));
  EXPECT_EQ(Begin(id, kSize, wire::kFlagCovered).code(), absl::StatusCode::kInvalidArgument);

  // It comes back as they are released.
  payloads_.erase(payloads_.begin(), payloads_.begin() + 20);
  EXPECT_THAT(released_, SizeIs(21));
  Start(++id, kSize, 0);
  EXPECT_GE(receiver_.float_bytes(), 20 * kSize * 7 / 8);
  EXPECT_LE(receiver_.float_bytes() + payloads_.size() * kSize, kFloat);
  payloads_.clear();
  Start(++id, kSize, 0);
  EXPECT_GE(receiver_.float_bytes(), kFloat - kFloat / 8);
}

// The peer is told of all there is: one that has to ask stands in the held budget's line, which others may hold up.
TEST_F(FullReceiverTest, AReaderThatHoldsAFewPayloadsKeepsItsWriterGoing) {
  uint64_t known = grants_.back().connection_limit() - 64;  // less the first call's message
  for (uint64_t id = 2; id < 300; ++id) {
    grants_.clear();
    ASSERT_GE(known, 64 + kSize) << "before payload " << id;
    Deliver(id);
    known -= 64 + kSize;
    if (!grants_.empty()) known += grants_.back().connection_limit() - announced_;
    if (!grants_.empty()) announced_ = grants_.back().connection_limit();
    if (payloads_.size() > 60) payloads_.erase(payloads_.begin());
  }
}

TEST_F(FullReceiverTest, WhoAskedIsServedFromWhatIsReleased) {
  uint64_t id = 2;
  for (; receiver_.float_bytes() >= kSize && !HasFatalFailure(); ++id) Deliver(id);
  grants_.clear();
  Start(id, kSize, 0);
  for (const wire::v1::Credit& grant : grants_) EXPECT_NE(grant.call_id(), id) << "there is nothing for it";
  grants_.clear();
  payloads_.erase(payloads_.begin());
  ASSERT_THAT(grants_, SizeIs(::testing::Ge(1)));
  EXPECT_TRUE(std::any_of(grants_.begin(), grants_.end(), [&](const auto& grant) { return grant.call_id() == id; }));
  Chunk(id, 0, kSize);
  receiver_.OnChunkReceived(kSize);
  EXPECT_EQ(End(id, kSize), absl::OkStatus());
  EXPECT_LE(receiver_.float_bytes() + payloads_.size() * kSize, kFloat);
  EXPECT_EQ(receiver_.bytes_to_come(), 0u);
}

TEST_F(FullReceiverTest, WhatIsNotHandedOverComesBack) {
  for (uint64_t id = 2; id < 200; ++id) {
    Start(id, kSize, wire::kFlagCovered);
    if (id % 2 == 0) receiver_.CloseCall(id);
    ASSERT_EQ(End(id, 0, {}, wire::v1::PayloadEnd::ABORTED), absl::OkStatus());
    if (id % 2 != 0) receiver_.CloseCall(id);
    unread_.clear();
    ASSERT_GE(receiver_.float_bytes(), kFloat - kFloat / 4) << id;
  }
}

TEST_F(FullReceiverTest, APayloadMayOutliveItsConnection) {
  Deliver(2);
  auto kept = std::move(payloads_);
  receiver_.Clear();
  kept.clear();
  EXPECT_THAT(released_, ElementsAre(1, 2));
}

}  // namespace
}  // namespace pagewire::transport::testing
