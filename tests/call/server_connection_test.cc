// A server's calls, against clients that keep the connection's rules and break those of a call: only the call ends.
#include "call/server_connection.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call/connections.h"
#include "transport/lent_memory.h"

namespace pagewire::call::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using transport::testing::Flat;
using transport::testing::InMemory;
using transport::testing::kAnnounced;
using transport::testing::kWhole;
using transport::testing::kWholeAndLast;
using transport::testing::Pattern;
using wire::FrameType;

class ServerConnectionTest : public ::testing::Test {
 protected:
  // The call has this status, and nothing else was sent for it.
  void ExpectStatus(ServerAndPeer& connection, uint64_t call_id, absl::StatusCode code, std::string_view message,
                    bool not_started) {
    const wire::v1::CallStatus status = connection.TakeStatus();
    EXPECT_EQ(status.call_id(), call_id);
    EXPECT_EQ(static_cast<absl::StatusCode>(status.code()), code);
    EXPECT_EQ(status.message(), message);
    EXPECT_EQ(status.not_started(), not_started);
    EXPECT_THAT(connection.peer->Take<wire::v1::MessagePart>(), IsEmpty());
  }

  // A call of the connection that keeps all rules is answered.
  void ExpectWorks(ServerAndPeer& connection, uint64_t call_id) {
    const size_t running = handlers_.running();
    ASSERT_TRUE(connection.peer->StartCall(call_id, kEcho.name, "hello"));
    ASSERT_EQ(handlers_.running(), running + 1);
    RunningHandler handler = handlers_.Take();
    EXPECT_EQ(handler.request, "hello");
    handler.Return(internal::RawMessage{"world", Payload()});
    loop_.RunUntilIdle();
    const wire::v1::CallStatus status = connection.TakeStatus();
    EXPECT_EQ(status.call_id(), call_id);
    EXPECT_EQ(status.code(), 0u) << status.message();
    EXPECT_EQ(connection.peer->misbehaviour(), "");
    connection.peer->TakeAll();
  }

  ManualLoop loop_;
  FakeHandlers handlers_;
};

TEST_F(ServerConnectionTest, AnUnknownMethodIsUnimplemented) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, "/t.S/Nothing", "hello");
  ExpectStatus(connection, 1, absl::StatusCode::kUnimplemented, "no such method", true);
  ExpectWorks(connection, 2);
}

TEST_F(ServerConnectionTest, APayloadForAMethodWithoutOneIsRefused) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kGet.name, "hello", 1);
  ExpectStatus(connection, 1, absl::StatusCode::kInvalidArgument,
               "/t.S/Get: the method takes no payload with its request (see option pagewire.payload)", true);
  connection.peer->WholePayload(1, 1, Pattern(10'000));  // was under way
  EXPECT_EQ(handlers_.runs(), 0u);
  ExpectWorks(connection, 2);
}

TEST_F(ServerConnectionTest, AUnaryCallHasOneMessage) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kEcho.name, "one", 0, kWhole);
  connection.peer->Message(1, "two", 0, kWholeAndLast);
  ExpectStatus(connection, 1, absl::StatusCode::kInternal, "/t.S/Echo: a unary call has exactly one request message",
               true);
  connection.peer->StartCall(2, kEcho.name, "", 0, wire::kFlagEndStream);
  ExpectStatus(connection, 2, absl::StatusCode::kInternal, "/t.S/Echo: a unary call without a request message", true);
  EXPECT_EQ(handlers_.runs(), 0u);
  ExpectWorks(connection, 3);
}

TEST_F(ServerConnectionTest, TheEndOfTheStreamMayComeApart) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kPut.name, "", 0, 0);
  connection.peer->Message(1, "hello", 5);
  connection.peer->WholePayload(5, 1, Pattern(5000));
  EXPECT_EQ(handlers_.running(), 0u) << "another message could follow";
  connection.peer->EndStream(1);
  ASSERT_EQ(handlers_.running(), 1u);
  RunningHandler handler = handlers_.Take();
  EXPECT_EQ(handler.request, "hello");
  EXPECT_EQ(Flat(handler.payload), Pattern(5000));

  connection.peer->StartCall(2, kPut.name, "hello", 6, kWhole);
  connection.peer->BeginPayload(6, 2, 5);
  connection.peer->EndStream(2);
  EXPECT_EQ(handlers_.running(), 0u) << "the payload is not whole";
  connection.peer->EndPayload(6, 5, "bytes");
  EXPECT_EQ(handlers_.running(), 1u);
}

TEST_F(ServerConnectionTest, InvalidMetadataEndsItsCallOnly) {
  ServerAndPeer connection(loop_, handlers_);
  wire::v1::CallStart start;
  start.set_call_id(1);
  start.set_method(std::string(kEcho.name));
  wire::v1::Metadata& pair = *start.add_metadata();
  pair.set_key("Color");
  connection.peer->SendFrame(FrameType::kCallStart, kWholeAndLast, start);
  ExpectStatus(connection, 1, absl::StatusCode::kInvalidArgument,
               "/t.S/Echo: metadata: key \"Color\" has characters other than 0-9 a-z _ . -", true);

  start.set_call_id(2);
  pair.set_key("color");
  pair.set_value("gr\xfcn");
  connection.peer->SendFrame(FrameType::kCallStart, kWholeAndLast, start);
  ExpectStatus(connection, 2, absl::StatusCode::kInvalidArgument,
               "/t.S/Echo: metadata: the value of key \"color\" is not printable ASCII; keys of binary values end in "
               "\"-bin\"",
               true);

  start.set_call_id(3);
  pair.set_value(std::string(16 << 10, 'v'));
  connection.peer->SendFrame(FrameType::kCallStart, kWholeAndLast, start);
  ExpectStatus(connection, 3, absl::StatusCode::kResourceExhausted,
               "/t.S/Echo: metadata: 16389 bytes of keys and values exceed max_metadata_size, which is 16384", true);
  ExpectWorks(connection, 4);
}

TEST_F(ServerConnectionTest, AMessageLargerThanTheLimitIsRefused) {
  transport::SessionOptions options = TestOptions(false);
  options.limits.max_message_bytes = 1000;
  ServerAndPeer connection(loop_, handlers_, std::move(options));
  const std::string message =
      "/t.S/Echo: received message of 1001 bytes is larger than the limit of 1000; raise the test's message limit";
  connection.peer->StartCall(1, kEcho.name, std::string(1001, 'x'));
  ExpectStatus(connection, 1, absl::StatusCode::kResourceExhausted, message, true);
  connection.peer->AnnounceCall(2, kEcho.name, 1001);
  ExpectStatus(connection, 2, absl::StatusCode::kResourceExhausted, message, true);
  EXPECT_THAT(connection.peer->Take<wire::v1::Credit>(), IsEmpty());
  connection.peer->Cancel(2);
  ExpectWorks(connection, 3);
}

TEST_F(ServerConnectionTest, CallsBeyondTheLimitAreRefused) {
  transport::SessionOptions options = TestOptions(false);
  options.max_concurrent_calls = 2;
  ServerAndPeer connection(loop_, handlers_, std::move(options));
  connection.peer->StartCall(1, kEcho.name, "");
  connection.peer->StartCall(2, kEcho.name, "");
  connection.peer->StartCall(3, kEcho.name, "");
  ExpectStatus(connection, 3, absl::StatusCode::kResourceExhausted,
               "/t.S/Echo: 2 calls are in flight on this connection, which is the limit; raise "
               "ServerBuilder::SetMaxConcurrentCallsPerConnection or use more channels",
               true);
  handlers_.Take().Return(internal::RawMessage());
  loop_.RunUntilIdle();
  connection.peer->TakeAll();
  connection.peer->StartCall(4, kEcho.name, "");
  EXPECT_EQ(handlers_.running(), 2u);
}

TEST_F(ServerConnectionTest, ACancelledCallKeepsItsPlaceWhileItsHandlerRuns) {
  transport::SessionOptions options = TestOptions(false);
  options.max_concurrent_calls = 1;
  ServerAndPeer connection(loop_, handlers_, std::move(options));
  connection.peer->StartCall(1, kEcho.name, "");
  connection.peer->Cancel(1);
  ExpectStatus(connection, 1, absl::StatusCode::kCancelled, "/t.S/Echo: cancelled by the client", false);
  connection.peer->StartCall(2, kEcho.name, "");
  EXPECT_EQ(connection.TakeStatus().code(), static_cast<uint32_t>(absl::StatusCode::kResourceExhausted));
  RunningHandler handler = handlers_.Take();
  EXPECT_TRUE(handler.state->cancelled());
  handler.Return(internal::RawMessage{"too late", Payload()});
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.peer->TakeAll(), IsEmpty());
  ExpectWorks(connection, 3);
}

TEST_F(ServerConnectionTest, ACallCancelledBeforeItsRequestIsCompleteNeverRuns) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kPut.name, "hello", 1);
  connection.peer->BeginPayload(1, 1, 8192);
  connection.peer->Chunk(1, 0, Pattern(4096));
  connection.peer->Cancel(1);
  ExpectStatus(connection, 1, absl::StatusCode::kCancelled, "/t.S/Put: cancelled by the client", true);
  connection.peer->Chunk(1, 4096, Pattern(4096));  // was under way
  connection.peer->EndPayload(1, 8192);
  EXPECT_EQ(handlers_.runs(), 0u);
  connection.peer->TakeAll();
  ExpectWorks(connection, 2);
}

TEST_F(ServerConnectionTest, APayloadThatIsGivenUpEndsItsCall) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kPut.name, "hello", 1);
  connection.peer->BeginPayload(1, 1, 8192);
  connection.peer->Chunk(1, 0, Pattern(4096));
  connection.peer->AbortPayload(1, 4096);
  ExpectStatus(connection, 1, absl::StatusCode::kAborted, "/t.S/Put: the sender gave up its payload after 4096 bytes",
               true);

  connection.peer->StartCall(2, kPut.name, "hello", 2);
  connection.peer->BeginPayload(2, 2, 8192);
  wire::v1::PayloadEnd end;
  end.set_payload_id(2);
  end.set_outcome(wire::v1::PayloadEnd::SOURCE_FAILED);
  end.set_code(static_cast<uint32_t>(absl::StatusCode::kOutOfRange));
  end.set_message("the file was truncated");
  connection.peer->SendFrame(FrameType::kPayloadEnd, 0, end);
  ExpectStatus(connection, 2, absl::StatusCode::kDataLoss,
               "/t.S/Put: the payload's source failed at the sender: the file was truncated", true);
  ExpectWorks(connection, 3);
}

// Deadlines.

TEST_F(ServerConnectionTest, ADeadlineEndsACallWhoseRequestIsNotComplete) {
  ServerAndPeer connection(loop_, handlers_);
  wire::v1::CallStart start;
  start.set_call_id(1);
  start.set_method(std::string(kEcho.name));
  start.set_timeout_us(5'000'000);
  connection.peer->SendFrame(FrameType::kCallStart, 0, start);
  loop_.AdvanceTime(absl::Seconds(4));
  EXPECT_THAT(connection.peer->TakeAll(), IsEmpty());
  loop_.AdvanceTime(absl::Seconds(1));
  ExpectStatus(connection, 1, absl::StatusCode::kDeadlineExceeded,
               "/t.S/Echo: the deadline passed before the request was complete", true);
  connection.peer->Message(1, "late", 0, kWholeAndLast);
  EXPECT_EQ(handlers_.runs(), 0u);
  ExpectWorks(connection, 2);
}

TEST_F(ServerConnectionTest, ACallWithoutTimeLeftIsRefused) {
  ServerAndPeer connection(loop_, handlers_);
  wire::v1::CallStart start;
  start.set_call_id(1);
  start.set_method(std::string(kEcho.name));
  start.set_timeout_us(0);
  connection.peer->SendFrame(FrameType::kCallStart, kWholeAndLast, start);
  ExpectStatus(connection, 1, absl::StatusCode::kDeadlineExceeded,
               "/t.S/Echo: the deadline had passed when the call arrived", true);
  EXPECT_EQ(handlers_.runs(), 0u);
  ExpectWorks(connection, 2);
}

TEST_F(ServerConnectionTest, ADeadlineEndsACallInItsHandler) {
  ServerAndPeer connection(loop_, handlers_);
  wire::v1::CallStart start;
  start.set_call_id(1);
  start.set_method(std::string(kEcho.name));
  start.set_timeout_us(5'000'000);
  connection.peer->SendFrame(FrameType::kCallStart, kWholeAndLast, start);
  ASSERT_EQ(handlers_.running(), 1u);
  loop_.AdvanceTime(absl::Seconds(5));
  ExpectStatus(connection, 1, absl::StatusCode::kDeadlineExceeded, "/t.S/Echo: the deadline passed in the handler",
               false);
  RunningHandler handler = handlers_.Take();
  EXPECT_TRUE(handler.state->cancelled());
  handler.Return(internal::RawMessage{"late", Payload()});
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.peer->TakeAll(), IsEmpty());
  ExpectWorks(connection, 2);
}

TEST_F(ServerConnectionTest, DeadlinesOfAnyLengthAreUnderstood) {
  ServerAndPeer connection(loop_, handlers_);
  wire::v1::CallStart start;
  start.set_method(std::string(kEcho.name));
  start.set_call_id(1);
  start.set_timeout_us(0);
  connection.peer->SendFrame(FrameType::kCallStart, 0, start);
  loop_.AdvanceTime(absl::Milliseconds(1));
  EXPECT_EQ(connection.TakeStatus().code(), static_cast<uint32_t>(absl::StatusCode::kDeadlineExceeded));
  start.set_call_id(2);
  start.set_timeout_us(wire::kMaxBytes);
  connection.peer->SendFrame(FrameType::kCallStart, kWholeAndLast, start);
  loop_.AdvanceTime(absl::Hours(24));
  EXPECT_EQ(handlers_.running(), 1u);
  EXPECT_THAT(connection.peer->TakeAll(), IsEmpty());
}

// Answers.

TEST_F(ServerConnectionTest, AnAnswerHasMetadataMessagePayloadAndStatus) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kSwap.name, "hello", 1);
  connection.peer->WholePayload(1, 1, Pattern(10'000));
  RunningHandler handler = handlers_.Take();
  EXPECT_EQ(handler.state->method, kSwap.name);
  EXPECT_EQ(handler.state->transfers.Get().received.payload_bytes, 10'000u);
  handler.state->AddInitialMetadata("first", "1");
  handler.state->AddTrailingMetadata("last", "2");
  handler.Return(internal::RawMessage{"world", std::move(handler.payload)});
  loop_.RunUntilIdle();
  const std::vector<transport::testing::ReceivedFrame> frames = connection.peer->TakeAll();
  std::vector<FrameType> types;
  for (const auto& frame : frames) {
    if (frame.type() != FrameType::kAck && frame.type() != FrameType::kCredit) types.push_back(frame.type());
  }
  EXPECT_THAT(types, ::testing::ElementsAre(FrameType::kMessage, FrameType::kPayloadBegin, FrameType::kChunk,
                                            FrameType::kPayloadEnd, FrameType::kStatus));
  const auto& status = std::get<wire::v1::CallStatus>(frames.back().body);
  EXPECT_EQ(status.trailing_metadata(0).key(), "last");
}

TEST_F(ServerConnectionTest, MetadataThatMayNotBeSentFailsTheCall) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kEcho.name, "");
  RunningHandler handler = handlers_.Take();
  handler.state->AddTrailingMetadata("key", std::string(16 << 10, 'v'));
  handler.Return(internal::RawMessage());
  loop_.RunUntilIdle();
  ExpectStatus(connection, 1, absl::StatusCode::kResourceExhausted,
               "/t.S/Echo: the handler's metadata of 16387 bytes is larger than the limit of 16384; raise "
               "ServerBuilder::SetMaxMetadataBytes, or the method's by SetMethodLimits",
               false);

  connection.peer->StartCall(2, kEcho.name, "");
  handler = handlers_.Take();
  handler.state->AddTrailingMetadata("", "value");
  handler.Return(internal::RawMessage());
  loop_.RunUntilIdle();
  ExpectStatus(connection, 2, absl::StatusCode::kInternal, "metadata: a key is empty", false);

  // Within our limit, but in so many pairs that the frame is larger than the client takes.
  connection.peer->StartCall(3, kEcho.name, "");
  handler = handlers_.Take();
  for (int i = 0; i < 16'000; ++i) handler.state->AddInitialMetadata("k", "");
  handler.Return(internal::RawMessage{"hello", Payload()});
  loop_.RunUntilIdle();
  ExpectStatus(connection, 3, absl::StatusCode::kResourceExhausted,
               "/t.S/Echo: MESSAGE: its body of 80002 bytes exceeds the peer's max_body_length of 65536", false);
  ExpectWorks(connection, 4);
}

TEST_F(ServerConnectionTest, AClientThatGoesAwayTellsItsHandlers) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kEcho.name, "");
  connection.peer->Reset();
  EXPECT_TRUE(connection.server->closed());
  RunningHandler handler = handlers_.Take();
  EXPECT_TRUE(handler.state->cancelled());
  connection.server.reset();
  handler.Return(internal::RawMessage{"to nobody", Payload()});
  loop_.RunUntilIdle();
}

}  // namespace
}  // namespace pagewire::call::testing
