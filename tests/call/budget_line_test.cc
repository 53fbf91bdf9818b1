// Payloads and the memory they may have: refused, waiting in line, granted, withdrawn.
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call/connections.h"
#include "transport/lent_memory.h"

namespace pagewire::call::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using transport::testing::Flat;
using transport::testing::InMemory;
using transport::testing::LentMemory;
using transport::testing::Pattern;

constexpr uint64_t kBudget = 10 << 20;
constexpr uint64_t kMost = 6 << 20;  // of these only one fits

class BudgetLineTest : public ::testing::Test {
 protected:
  BudgetLineTest() : credit_before_(memory::ConnectionCreditBudget().reserved()) {}
  ~BudgetLineTest() override { EXPECT_EQ(memory::ConnectionCreditBudget().reserved(), credit_before_); }

  transport::SessionOptions ServerOptions() {
    transport::SessionOptions options = TestOptions(false, kBudget);
    held_ = options.held_budget;
    return options;
  }

  // Calls whose announced payloads were granted since the last question.
  std::vector<uint64_t> Granted(ServerAndPeer& connection) {
    std::vector<uint64_t> calls;
    for (const wire::v1::Credit& credit : connection.peer->Take<wire::v1::Credit>()) {
      if (credit.call_id() != 0) calls.push_back(credit.call_id());
    }
    return calls;
  }

  void AnnouncePut(ServerAndPeer& connection, uint64_t id, uint64_t size, uint64_t timeout_us = 0) {
    wire::v1::CallStart start;
    start.set_call_id(id);
    start.set_method(std::string(kPut.name));
    start.set_payload_id(id);
    if (timeout_us != 0) start.set_timeout_us(timeout_us);
    connection.peer->SendFrame(wire::FrameType::kCallStart, transport::testing::kWholeAndLast, start);
    connection.peer->BeginPayload(id, id, size, false);
  }

  void SendPayload(ServerAndPeer& connection, uint64_t id, uint64_t size) {
    for (uint64_t offset = 0; offset < size; offset += 1 << 20) {
      connection.peer->Chunk(id, offset, Pattern(1 << 20));
    }
    connection.peer->EndPayload(id, size);
  }

  const uint64_t credit_before_;
  ManualLoop loop_;
  FakeHandlers handlers_;
  std::shared_ptr<memory::Budget> held_;
};

TEST_F(BudgetLineTest, APayloadLargerThanTheBudgetIsRefusedAtOnce) {
  ServerAndPeer connection(loop_, handlers_, ServerOptions());
  AnnouncePut(connection, 1, kBudget + 1);
  const wire::v1::CallStatus status = connection.TakeStatus();
  EXPECT_EQ(static_cast<absl::StatusCode>(status.code()), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(),
            absl::StrCat("/t.S/Put: cannot hold ", kBudget + 1, " bytes: the limit of the test's held budget is ",
                         kBudget, " bytes; raise the test's budget"));
  EXPECT_TRUE(status.not_started());
  EXPECT_THAT(Granted(connection), IsEmpty());
  connection.peer->AbortPayload(1, 0);
  connection.peer->Cancel(1);
  AnnouncePut(connection, 2, kBudget);
  EXPECT_THAT(Granted(connection), ElementsAre(2)) << "all of it";
}

TEST_F(BudgetLineTest, APayloadLargerThanThePayloadLimitIsRefusedAtOnce) {
  transport::SessionOptions options = ServerOptions();
  options.limits.max_payload_bytes = 100'000;
  ServerAndPeer connection(loop_, handlers_, std::move(options));
  AnnouncePut(connection, 1, 100'001);
  const wire::v1::CallStatus status = connection.TakeStatus();
  EXPECT_EQ(static_cast<absl::StatusCode>(status.code()), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(),
            "/t.S/Put: payload of 100001 bytes is larger than the limit of 100000; raise the test's payload limit");
  AnnouncePut(connection, 2, 100'000);
  EXPECT_THAT(Granted(connection), ElementsAre(2));
}

TEST_F(BudgetLineTest, WhoDoesNotFitWaitsAndIsServedInOrder) {
  ServerAndPeer connection(loop_, handlers_, ServerOptions());
  for (uint64_t id = 1; id <= 3; ++id) AnnouncePut(connection, id, kMost);
  AnnouncePut(connection, 4, 1 << 20);  // would fit, and waits all the same: first come, first served
  EXPECT_THAT(Granted(connection), ElementsAre(1));
  SendPayload(connection, 1, kMost);
  ASSERT_EQ(handlers_.running(), 1u);
  RunningHandler first = handlers_.Take();
  EXPECT_THAT(Granted(connection), IsEmpty()) << "the handler holds the payload";

  Payload slice = first.payload.Slice(0, 1);
  first.payload = Payload();
  loop_.RunUntilIdle();
  EXPECT_EQ(held_->reserved(), (1 << 20) + kMost) << "a slice is charged for the block it keeps";
  EXPECT_THAT(Granted(connection), ElementsAre(2));
  SendPayload(connection, 2, kMost);
  handlers_.Take();  // and drops it
  loop_.RunUntilIdle();
  EXPECT_THAT(Granted(connection), ElementsAre(3, 4));
  slice = Payload();
  SendPayload(connection, 3, kMost);
  SendPayload(connection, 4, 1 << 20);
  handlers_.Take();
  handlers_.Take();
  EXPECT_EQ(held_->reserved(), 0u);
}

TEST_F(BudgetLineTest, SmallCallsPassThoseThatWait) {
  ServerAndPeer connection(loop_, handlers_, ServerOptions());
  AnnouncePut(connection, 1, kMost);
  AnnouncePut(connection, 2, kMost);
  connection.peer->StartCall(3, kEcho.name, "small");
  ASSERT_EQ(handlers_.running(), 1u);
  EXPECT_EQ(handlers_.Take().request, "small");
}

TEST_F(BudgetLineTest, ADeadlineEndsTheWait) {
  ServerAndPeer connection(loop_, handlers_, ServerOptions());
  AnnouncePut(connection, 1, kMost);
  AnnouncePut(connection, 2, kMost, /*timeout_us=*/1'000'000);
  AnnouncePut(connection, 3, 1 << 20);
  EXPECT_THAT(Granted(connection), ElementsAre(1));
  loop_.AdvanceTime(absl::Seconds(1));
  const wire::v1::CallStatus status = connection.TakeStatus();
  EXPECT_EQ(status.call_id(), 2u);
  EXPECT_EQ(static_cast<absl::StatusCode>(status.code()), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "/t.S/Put: the deadline passed before the request was complete");
  EXPECT_TRUE(status.not_started());
  EXPECT_THAT(Granted(connection), ElementsAre(3)) << "it held up the next in line no longer";
  connection.peer->Reset();
  EXPECT_EQ(held_->reserved(), 0u);
}

TEST_F(BudgetLineTest, ACancelEndsTheWait) {
  ServerAndPeer connection(loop_, handlers_, ServerOptions());
  AnnouncePut(connection, 1, kMost);
  AnnouncePut(connection, 2, kMost);
  connection.peer->Cancel(2);
  EXPECT_EQ(static_cast<absl::StatusCode>(connection.TakeStatus().code()), absl::StatusCode::kCancelled);
  connection.peer->AbortPayload(2, 0);
  SendPayload(connection, 1, kMost);
  handlers_.Take();
  loop_.RunUntilIdle();
  EXPECT_THAT(Granted(connection), ElementsAre(1));
  EXPECT_EQ(held_->reserved(), 0u);
}

TEST_F(BudgetLineTest, ADeadConnectionLeavesTheLine) {
  transport::SessionOptions options = ServerOptions();
  ServerAndPeer dying(loop_, handlers_, options);
  ServerAndPeer living(loop_, handlers_, options);
  AnnouncePut(dying, 1, kMost);
  AnnouncePut(dying, 2, kMost);
  AnnouncePut(living, 1, kMost);
  EXPECT_THAT(Granted(living), IsEmpty());
  dying.peer->Reset();
  loop_.RunUntilIdle();
  EXPECT_THAT(Granted(living), ElementsAre(1));
  EXPECT_EQ(held_->reserved(), kMost);
  living.peer->Reset();
  EXPECT_EQ(held_->reserved(), 0u);
}

TEST_F(BudgetLineTest, ACancelInTheMiddleOfAPayloadFreesItsBytesAtOnce) {
  ServerAndPeer connection(loop_, handlers_, ServerOptions());
  AnnouncePut(connection, 1, kMost);
  AnnouncePut(connection, 2, kMost);
  connection.peer->Chunk(1, 0, Pattern(1 << 20));
  connection.peer->Cancel(1);
  EXPECT_THAT(Granted(connection), ElementsAre(1, 2)) << "although the first has not ended yet";
  connection.peer->Chunk(1, 1 << 20, Pattern(1 << 20));
  connection.peer->AbortPayload(1, 2 << 20);
  SendPayload(connection, 2, kMost);
  EXPECT_EQ(Flat(handlers_.Take().payload).substr(0, 1 << 20), Pattern(1 << 20));
  EXPECT_EQ(held_->reserved(), 0u);
}

TEST_F(BudgetLineTest, ARealClientWaitsForItsTurn) {
  ClientAndServer both(loop_, handlers_, TestOptions(true), ServerOptions());
  LentMemory lent(kMost);
  const auto first = both.client->Start(kPut, "", lent.Lend());
  const auto second = both.client->Start(kPut, "", lent.Lend());
  const auto too_late = both.client->Start(kPut, "", lent.Lend(), absl::Seconds(5));
  loop_.RunUntilIdle();
  ASSERT_EQ(handlers_.running(), 1u);
  loop_.AdvanceTime(absl::Seconds(6));
  ASSERT_EQ(too_late->results, 1);
  EXPECT_EQ(too_late->result->outcome.status.code(), absl::StatusCode::kDeadlineExceeded);
  {
    RunningHandler handler = handlers_.Take();
    EXPECT_EQ(Flat(handler.payload), lent.bytes());
    handler.payload = Payload();
    handler.Return(internal::RawMessage());
  }
  loop_.RunUntilIdle();
  ASSERT_EQ(handlers_.running(), 1u);
  handlers_.Take().Return(internal::RawMessage());
  loop_.RunUntilIdle();
  EXPECT_EQ(first->result->outcome.status, absl::OkStatus());
  EXPECT_EQ(second->result->outcome.status, absl::OkStatus());
  EXPECT_EQ(held_->reserved(), 0u);
}

TEST_F(BudgetLineTest, ARealClientIsToldWhatToRaise) {
  ClientAndServer both(loop_, handlers_, TestOptions(true, 1 << 20), ServerOptions());
  LentMemory lent(kBudget + 1);
  const auto put = both.client->Start(kPut, "", lent.Lend());
  const auto get = both.client->Start(kGet, "");
  loop_.RunUntilIdle();
  EXPECT_EQ(put->result->outcome.status,
            absl::ResourceExhaustedError("/t.S/Put: cannot hold 10485761 bytes: the limit of the test's held budget is "
                                         "10485760 bytes; raise the test's budget"));
  lent.AwaitReturn();
  handlers_.Take().Return(internal::RawMessage{"", InMemory(Pattern((1 << 20) + 1))});
  loop_.RunUntilIdle();
  EXPECT_EQ(get->result->outcome.status,
            absl::ResourceExhaustedError("/t.S/Get: cannot hold 1048577 bytes: the limit of the test's held budget is "
                                         "1048576 bytes; raise the test's budget"));
  const auto echo = both.client->Start(kEcho, "still here");
  loop_.RunUntilIdle();
  handlers_.Take().Return(internal::RawMessage{"yes", Payload()});
  loop_.RunUntilIdle();
  EXPECT_EQ(echo->result->message, "yes");
}

}  // namespace
}  // namespace pagewire::call::testing
