// A client's calls, against servers that answer as they should not.
#include "call/client_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call/connections.h"
#include "transport/lent_memory.h"

namespace pagewire::call::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using transport::testing::Flat;
using transport::testing::InMemory;
using transport::testing::kWhole;
using transport::testing::kWholeAndLast;
using transport::testing::LentMemory;
using transport::testing::Pattern;
using wire::FrameType;

class ClientConnectionTest : public ::testing::Test {
 protected:
  // A call on the same connection is answered.
  void ExpectWorks(ClientAndPeer& connection) {
    connection.peer->TakeAll();
    const auto outcome = connection.client->Start(kEcho, "hello");
    loop_.RunUntilIdle();
    const auto starts = connection.peer->Take<wire::v1::CallStart>();
    ASSERT_THAT(starts, SizeIs(1));
    connection.peer->Message(starts[0].call_id(), "world", 0, kWholeAndLast);
    connection.peer->Status(starts[0].call_id(), absl::StatusCode::kOk);
    ASSERT_EQ(outcome->results, 1);
    EXPECT_EQ(outcome->result->outcome.status, absl::OkStatus());
    EXPECT_EQ(outcome->result->message, "world");
  }

  void ExpectResult(const ClientEnd::Outcome& outcome, const absl::Status& status) {
    ASSERT_EQ(outcome.results, 1);
    EXPECT_EQ(outcome.result->outcome.status, status);
    EXPECT_EQ(outcome.result->payload.size(), 0u);
  }

  ManualLoop loop_;
};

TEST_F(ClientConnectionTest, AnAnswerComesWhole) {
  ClientAndPeer connection(loop_);
  const auto outcome = connection.client->Start(kGet, "hello");
  loop_.RunUntilIdle();
  EXPECT_EQ(connection.peer->TakeAll().back().data, "hello");
  wire::v1::MessagePart part;
  part.set_call_id(1);
  part.set_message_size(5);
  part.set_payload_id(9);
  wire::v1::Metadata& pair = *part.add_initial_metadata();
  pair.set_key("served-by");
  pair.set_value("raw");
  connection.peer->SendFrame(FrameType::kMessage, kWholeAndLast, part, "world");
  connection.peer->WholePayload(9, 1, Pattern(10'000));
  EXPECT_EQ(outcome->results, 0);
  connection.peer->Status(1, absl::StatusCode::kOk);
  ASSERT_EQ(outcome->results, 1);
  EXPECT_EQ(outcome->result->outcome.status, absl::OkStatus());
  EXPECT_EQ(outcome->result->message, "world");
  EXPECT_EQ(Flat(outcome->result->payload), Pattern(10'000));
  EXPECT_EQ(outcome->result->outcome.initial_metadata.find("served-by")->second, "raw");
  EXPECT_EQ(outcome->result->outcome.transfers.Get().received.payload_bytes, 10'000u);
}

TEST_F(ClientConnectionTest, OkWithoutAMessageIsAnError) {
  ClientAndPeer connection(loop_);
  const auto outcome = connection.client->Start(kEcho, "hello");
  loop_.RunUntilIdle();
  connection.peer->Status(1, absl::StatusCode::kOk);
  ExpectResult(*outcome,
               absl::InternalError("/t.S/Echo: the server ended the call with OK before its response message"));
  ExpectWorks(connection);
}

TEST_F(ClientConnectionTest, OkBeforeTheAnnouncedPayloadIsAnError) {
  for (const bool begun : {false, true}) {
    transport::SessionOptions options = TestOptions(true);
    const auto held = options.held_budget;
    ClientAndPeer connection(loop_, std::move(options));
    const auto outcome = connection.client->Start(kGet, "hello");
    loop_.RunUntilIdle();
    connection.peer->Message(1, "world", 1);
    if (begun) {
      connection.peer->BeginPayload(1, 1, 8192);
      connection.peer->Chunk(1, 0, Pattern(4096));
    }
    connection.peer->Status(1, absl::StatusCode::kOk);
    ExpectResult(*outcome, absl::InternalError("/t.S/Get: the server ended the call with OK before its payload"));
    EXPECT_EQ(held->reserved(), 0u);
    ExpectWorks(connection);
  }
}

TEST_F(ClientConnectionTest, ASecondMessageIsRefused) {
  ClientAndPeer connection(loop_);
  const auto outcome = connection.client->Start(kEcho, "hello");
  loop_.RunUntilIdle();
  connection.peer->Message(1, "one");
  connection.peer->Message(1, "two");
  ExpectResult(*outcome, absl::InternalError("/t.S/Echo: the server sent a second response message"));
  EXPECT_THAT(connection.peer->Take<wire::v1::Cancel>(), SizeIs(1));
  connection.peer->Status(1, absl::StatusCode::kCancelled);
  EXPECT_EQ(outcome->results, 1);
  ExpectWorks(connection);
}

TEST_F(ClientConnectionTest, APayloadThatTheMethodDoesNotHaveIsRefused) {
  ClientAndPeer connection(loop_);
  const auto outcome = connection.client->Start(kEcho, "hello");
  loop_.RunUntilIdle();
  connection.peer->Message(1, "world", 1);
  ExpectResult(*outcome,
               absl::InternalError("/t.S/Echo: the server sent a payload, which the method does not have (see option "
                                   "pagewire.payload)"));
  connection.peer->WholePayload(1, 1, Pattern(5000));
  connection.peer->Status(1, absl::StatusCode::kOk);
  ExpectWorks(connection);
}

TEST_F(ClientConnectionTest, AnAnswerLargerThanTheLimitIsRefused) {
  transport::SessionOptions options = TestOptions(true);
  options.limits.max_message_bytes = 1000;
  options.limits.max_payload_bytes = 50'000;
  ClientAndPeer connection(loop_, std::move(options));
  const auto large_message = connection.client->Start(kEcho, "");
  const auto large_payload = connection.client->Start(kGet, "");
  loop_.RunUntilIdle();
  connection.peer->Message(1, std::string(1001, 'x'));
  ExpectResult(*large_message,
               absl::ResourceExhaustedError("/t.S/Echo: received message of 1001 bytes is larger than the limit of "
                                            "1000; raise the test's message limit"));
  connection.peer->Message(2, "", 1);
  connection.peer->BeginPayload(1, 2, 50'001);
  ExpectResult(*large_payload,
               absl::ResourceExhaustedError("/t.S/Get: payload of 50001 bytes is larger than the limit of 50000; raise "
                                            "the test's payload limit"));
  EXPECT_THAT(connection.peer->Take<wire::v1::Cancel>(), SizeIs(2));
  connection.peer->AbortPayload(1, 0);
  ExpectWorks(connection);
}

TEST_F(ClientConnectionTest, InvalidMetadataFromTheServerEndsItsCallOnly) {
  ClientAndPeer connection(loop_);
  const auto initial = connection.client->Start(kEcho, "");
  const auto trailing = connection.client->Start(kEcho, "");
  const auto large = connection.client->Start(kEcho, "");
  loop_.RunUntilIdle();
  wire::v1::MessagePart part;
  part.set_call_id(1);
  part.add_initial_metadata()->set_key("Bad Key");
  connection.peer->SendFrame(FrameType::kMessage, kWhole, part);
  ASSERT_EQ(initial->results, 1);
  EXPECT_EQ(initial->result->outcome.status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(initial->result->outcome.status.message()), ::testing::HasSubstr("Bad Key"));
  EXPECT_THAT(connection.peer->Take<wire::v1::Cancel>(), SizeIs(1));

  wire::v1::CallStatus status;
  status.set_call_id(2);
  status.add_trailing_metadata()->set_key("");
  connection.peer->SendFrame(FrameType::kStatus, 0, status);
  ASSERT_EQ(trailing->results, 1);
  EXPECT_EQ(trailing->result->outcome.status.code(), absl::StatusCode::kInvalidArgument);

  status.set_call_id(3);
  status.mutable_trailing_metadata(0)->set_key("k");
  status.mutable_trailing_metadata(0)->set_value(std::string(16 << 10, 'v'));
  connection.peer->SendFrame(FrameType::kStatus, 0, status);
  ASSERT_EQ(large->results, 1);
  EXPECT_EQ(large->result->outcome.status.code(), absl::StatusCode::kResourceExhausted);
  ExpectWorks(connection);
}

TEST_F(ClientConnectionTest, AStartTooLargeForTheServerIsNotSent) {
  ClientAndPeer connection(loop_);
  UnaryRequest request;
  const std::string method = "/t.S/" + std::string(70'000, 'x');
  request.terms.method = method;
  const auto outcome = connection.client->Start(std::move(request));
  ASSERT_EQ(outcome->results, 1);
  EXPECT_EQ(outcome->result->outcome.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(outcome->result->outcome.not_started);
  ExpectWorks(connection);
}

TEST_F(ClientConnectionTest, AStatusThatIsNoCanonicalCodeIsUnknown) {
  ClientAndPeer connection(loop_);
  const auto outcome = connection.client->Start(kEcho, "");
  loop_.RunUntilIdle();
  connection.peer->Status(1, static_cast<absl::StatusCode>(4711), "odd");
  ExpectResult(*outcome, absl::UnknownError("odd"));
}

// Ends of our own making.

TEST_F(ClientConnectionTest, ACallWithoutTimeLeftEndsBeforeAnythingIsSent) {
  ClientAndPeer connection(loop_);
  const auto outcome = connection.client->Start(kEcho, "hello", Payload(), absl::ZeroDuration());
  ExpectResult(*outcome, absl::DeadlineExceededError("/t.S/Echo: the deadline had passed before the call began"));
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.peer->Take<wire::v1::CallStart>(), IsEmpty());
}

TEST_F(ClientConnectionTest, ADeadlineInTheMiddleOfAPayloadReturnsItsMemory) {
  ClientAndPeer connection(loop_);
  LentMemory lent(8 << 20);
  const auto outcome = connection.client->Start(kPut, "hello", lent.Lend(), absl::Seconds(100));
  loop_.RunUntilIdle();
  connection.peer->Grant((64 << 10) + (8 << 20), 1, 64 + (8 << 20));
  EXPECT_GT(connection.peer->payload_bytes(), 0u);
  loop_.AdvanceTime(absl::Seconds(101));
  ExpectResult(*outcome, absl::DeadlineExceededError("/t.S/Put: the deadline passed before the server answered"));
  const auto cancels = connection.peer->Take<wire::v1::Cancel>();
  ASSERT_THAT(cancels, SizeIs(1));
  EXPECT_EQ(cancels[0].code(), static_cast<uint32_t>(absl::StatusCode::kDeadlineExceeded));
  const auto ends = connection.peer->Take<wire::v1::PayloadEnd>();
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].outcome(), wire::v1::PayloadEnd::ABORTED);
  lent.AwaitReturn();
  connection.peer->Status(1, absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(outcome->results, 1);
  connection.peer->Ack(connection.peer->payload_bytes());
  ExpectWorks(connection);
}

TEST_F(ClientConnectionTest, ACallCancelledBeforeItWasSentIsForgotten) {
  ClientAndPeer connection(loop_);
  LentMemory lent(10'000);
  const auto outcome = connection.client->Start(kPut, "hello", lent.Lend());
  outcome->call->Cancel(absl::CancelledError("by the caller"));
  ExpectResult(*outcome, absl::CancelledError("by the caller"));
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.peer->TakeAll(), IsEmpty());
  EXPECT_EQ((*connection.client)->calls(), 0u);
  lent.AwaitReturn();
  ExpectWorks(connection);
}

TEST_F(ClientConnectionTest, CloseCancelsEveryCall) {
  ClientAndPeer connection(loop_);
  const auto sent = connection.client->Start(kEcho, "one");
  loop_.RunUntilIdle();
  const auto framed = connection.client->Start(kEcho, "two");
  const auto unsent = connection.client->Start(kPut, "three", InMemory(Pattern(10'000)));
  (*connection.client)->Close(absl::CancelledError("the channel was destroyed"));
  ExpectResult(*sent, absl::CancelledError("the channel was destroyed"));
  ExpectResult(*framed, absl::CancelledError("the channel was destroyed"));
  ExpectResult(*unsent, absl::CancelledError("the channel was destroyed"));
  loop_.AdvanceTime(absl::Seconds(1));
  EXPECT_EQ(*connection.client->closed(), absl::OkStatus());
  std::vector<uint64_t> cancelled;
  for (const auto& cancel : connection.peer->Take<wire::v1::Cancel>()) cancelled.push_back(cancel.call_id());
  EXPECT_THAT(cancelled, UnorderedElementsAre(1, 2)) << "the server has not heard of the third, and need not";
  EXPECT_EQ(connection.peer->misbehaviour(), "");
}

// Ends of the server's making.

TEST_F(ClientConnectionTest, ALostConnectionIsUnavailableAndReturnsEverything) {
  transport::SessionOptions options = TestOptions(true);
  const auto held = options.held_budget;
  ClientAndPeer connection(loop_, std::move(options));
  LentMemory lent(1 << 20);
  const auto sending = connection.client->Start(kPut, "hello", lent.Lend());
  const auto receiving = connection.client->Start(kGet, "hello");
  loop_.RunUntilIdle();
  connection.peer->Message(2, "", 1);
  connection.peer->BeginPayload(1, 2, 1 << 20, false);
  connection.peer->Chunk(1, 0, Pattern(100 * 4096));
  EXPECT_GT(held->reserved(), 0u);
  connection.peer->Reset();
  for (const auto& outcome : {sending, receiving}) {
    ExpectResult(*outcome, absl::UnavailableError("connection to in-process lost: connection to in-process failed: "
                                                  "reset by the other end"));
    EXPECT_FALSE(outcome->result->outcome.not_started);
  }
  lent.AwaitReturn();
  EXPECT_EQ(lent.returned(), 1);
  EXPECT_EQ(held->reserved(), 0u);
}

TEST_F(ClientConnectionTest, ACallThatWeHaveEndedMayLoseItsConnection) {
  ClientAndPeer connection(loop_);
  const auto outcome = connection.client->Start(kEcho, "hello");
  loop_.RunUntilIdle();
  outcome->call->Cancel(absl::CancelledError("by the caller"));
  connection.peer->Reset();
  loop_.RunUntilIdle();
  ExpectResult(*outcome, absl::CancelledError("by the caller"));
  EXPECT_EQ(outcome->results, 1);
}

TEST_F(ClientConnectionTest, TheServersReasonIsNamedOnce) {
  ClientAndPeer connection(loop_);
  const auto outcome = connection.client->Start(kEcho, "hello");
  loop_.RunUntilIdle();
  wire::v1::GoAway go_away;
  go_away.set_last_call_id(1);
  go_away.set_code(static_cast<uint32_t>(absl::StatusCode::kInvalidArgument));
  go_away.set_message("CHUNK: payload 3 was never opened");
  connection.peer->SendFrame(FrameType::kGoAway, 0, go_away);
  connection.peer->CloseWrite();
  ExpectResult(*outcome, absl::UnavailableError("connection to in-process lost: CHUNK: payload 3 was never opened: the "
                                                "peer closed the connection"));
}

TEST_F(ClientConnectionTest, CallsThatTheServerWillNotTakeMayStartElsewhere) {
  ClientAndPeer connection(loop_);
  LentMemory lent(1 << 20);
  const auto taken = connection.client->Start(kEcho, "one");
  const auto refused = connection.client->Start(kPut, "two", lent.Lend());
  loop_.RunUntilIdle();
  wire::v1::GoAway go_away;
  go_away.set_last_call_id(1);
  go_away.set_message("the server is shutting down");
  connection.peer->SendFrame(FrameType::kGoAway, 0, go_away);
  EXPECT_TRUE(connection.client->draining());
  ExpectResult(*refused,
               absl::UnavailableError("/t.S/Put: the server takes no more calls: the server is shutting down"));
  EXPECT_TRUE(refused->result->outcome.not_started);
  lent.AwaitReturn();
  EXPECT_EQ(taken->results, 0);
  connection.peer->Message(1, "answer", 0, kWholeAndLast);
  connection.peer->Status(1, absl::StatusCode::kOk);
  EXPECT_EQ(taken->result->outcome.status, absl::OkStatus());
}

}  // namespace
}  // namespace pagewire::call::testing
