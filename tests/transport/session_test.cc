#include "transport/session.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "payload/pool.h"
#include "transport/connected.h"
#include "transport/lent_memory.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;
using wire::FrameType;

class SessionTest : public ::testing::Test {
 protected:
  ManualLoop loop_;
};

TEST_F(SessionTest, MessagesAndPayloadsOfAllSizesArriveWhole) {
  TwoSessions both(loop_, TestOptions(true), TestOptions(false));
  uint64_t call = 0;
  for (const size_t size : {1, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 5'000'001}) {
    SCOPED_TRACE(size);
    ++call;
    const std::string request = Pattern(size, 1);
    ASSERT_EQ(both.client->StartCall("/s/M", Pattern(size % 4'000'000, 2), InMemory(request)), call);
    loop_.RunUntilIdle();
    ASSERT_THAT(both.server->payloads, SizeIs(1));
    EXPECT_EQ(Flat(both.server->payloads[0]), request);
    EXPECT_EQ(both.server->messages.back(), Pattern(size % 4'000'000, 2));

    both.server->SendMessage(call, "", both.server->payloads[0]);
    both.server->SendStatus(call);
    both.server->payloads.clear();
    loop_.RunUntilIdle();
    ASSERT_THAT(both.client->payloads, SizeIs(1));
    EXPECT_EQ(Flat(both.client->payloads[0]), request);
    EXPECT_EQ(both.client->TakeEvents().back(), absl::StrCat("status ", call, " OK: "));
    both.client->payloads.clear();
  }
}

TEST_F(SessionTest, WhatIsReservedGoesBack) {
  const uint64_t credit_before = memory::ConnectionCreditBudget().reserved();
  SessionOptions options = TestOptions(false);
  const auto held = options.held_budget;
  {
    SessionAndPeer connection(loop_, std::move(options));
    connection.peer->Greet();
    connection.peer->StartCall(1, "/s/M", "hello", 1);
    connection.peer->BeginPayload(1, 1, 1 << 20, false);
    connection.peer->StartCall(2, "/s/M", "hello", 2);
    connection.peer->WholePayload(2, 2, Pattern(10'000));
    EXPECT_EQ(held->reserved(), (1u << 20) + 10'000);
    connection.session->payloads.clear();
    EXPECT_EQ(held->reserved(), 1u << 20);
    connection.peer->Vanish();
    loop_.RunUntilIdle();
    EXPECT_EQ(held->reserved(), 0u);
  }
  EXPECT_EQ(memory::ConnectionCreditBudget().reserved(), credit_before);
}

// A chunk's bytes are received straight into the payload's memory. When the payload is given up in the middle of one,
// that memory goes back to the pool and belongs to others.
TEST_F(SessionTest, APayloadGivenUpInTheMiddleOfAChunkIsWrittenToNoMore) {
  SessionOptions options = TestOptions(false);
  const auto held = options.held_budget;
  SessionAndPeer connection(loop_, std::move(options));
  connection.peer->Greet();
  connection.peer->StartCall(1, "/s/M", "hello", 1);
  connection.peer->BeginPayload(1, 1, 1 << 20, false);
  wire::v1::Chunk chunk;
  chunk.set_payload_id(1);
  std::string frame;
  wire::AppendChunkHeader(chunk, 1 << 20, frame);
  connection.peer->Send(frame + Pattern(300'000));

  connection.session->session().DiscardIncoming(1);
  EXPECT_EQ(held->reserved(), 0u);
  std::vector<memory::Block> others;
  for (int i = 0; i < 8; ++i) {
    absl::StatusOr<memory::Block> block = memory::Pool::Default().TryAllocate(1 << 20);
    ASSERT_TRUE(block.ok());
    std::fill_n(block->data(), 1 << 20, 'o');
    others.push_back(*std::move(block));
  }
  connection.peer->Send(std::string((1 << 20) - 300'000, 'x'));
  connection.peer->EndPayload(1, 1 << 20);
  for (const memory::Block& block : others) {
    EXPECT_EQ(std::count(block.data(), block.data() + (1 << 20), 'o'), 1 << 20);
  }

  // The connection is as good as before: everything was counted.
  connection.session->TakeEvents();
  connection.peer->StartCall(2, "/s/M", "hello", 2);
  connection.peer->WholePayload(2, 2, Pattern(10'000));
  EXPECT_THAT(connection.session->TakeEvents(),
              ElementsAre("start 2 /s/M", "message 2 5 bytes, payload 2, last", "payload 2 10000 bytes"));
  EXPECT_EQ(connection.peer->Take<wire::v1::Ack>().back().received_bytes(), (1u << 20) + 10'000);
}

TEST_F(SessionTest, ACallCancelledBeforeItWasSentIsNeverHeardOf) {
  SessionAndPeer connection(loop_, TestOptions(true));
  connection.peer->Greet();
  connection.session->TakeEvents();
  LentMemory lent(10'000);
  const uint64_t call = connection.session->StartCall("/s/M", "hello", lent.Lend());
  wire::v1::Cancel cancel;
  cancel.set_call_id(call);
  connection.session->session().SendCancel(cancel);
  EXPECT_THAT(connection.session->TakeEvents(), IsEmpty()) << "nothing inside the call";
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.session->TakeEvents(), ElementsAre("status 1 CANCELLED: "));
  EXPECT_THAT(connection.peer->TakeAll(), IsEmpty());
  lent.AwaitReturn();

  EXPECT_EQ(connection.session->StartCall("/s/M", "again"), 2u);
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.peer->Take<wire::v1::CallStart>(), SizeIs(1));
}

TEST_F(SessionTest, ACancelledCallEndsItsPayloadAndTheConnectionGoesOn) {
  SessionAndPeer connection(loop_, TestOptions(true));
  connection.peer->Greet();
  LentMemory lent(10 << 20);
  const uint64_t call = connection.session->StartCall("/s/M", "hello", lent.Lend());
  loop_.RunUntilIdle();
  connection.peer->Grant((64 << 10) + (10 << 20), call, 64 + (10 << 20));
  const uint64_t sent = connection.peer->payload_bytes();
  EXPECT_GT(sent, 0u);
  EXPECT_LE(sent, wire::Settings().window);

  wire::v1::Cancel cancel;
  cancel.set_call_id(call);
  connection.session->session().SendCancel(cancel);
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.peer->Take<wire::v1::Cancel>(), SizeIs(1));
  const auto ends = connection.peer->Take<wire::v1::PayloadEnd>();
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].outcome(), wire::v1::PayloadEnd::ABORTED);
  EXPECT_EQ(ends[0].size(), sent);
  lent.AwaitReturn();
  EXPECT_EQ(lent.returned(), 1);

  connection.peer->Ack(sent);
  connection.peer->Status(call, absl::StatusCode::kCancelled);
  // What was granted for the payload is spent; a grant is as large as its payload.
  const std::string next = Pattern(20'000);
  connection.session->StartCall("/s/M", "hello", InMemory(next));
  loop_.RunUntilIdle();
  EXPECT_EQ(connection.peer->payload_bytes(), sent + 20'000);
  EXPECT_EQ(connection.peer->misbehaviour(), "");
}

TEST_F(SessionTest, AStatusBeforeTheRequestHasBeenSentStopsIt) {
  SessionAndPeer connection(loop_, TestOptions(true));
  connection.peer->Greet();
  LentMemory lent(1 << 20);
  const uint64_t call = connection.session->StartCall("/s/M", "hello", lent.Lend());
  loop_.RunUntilIdle();
  connection.peer->Status(call, absl::StatusCode::kResourceExhausted, "too large");
  EXPECT_THAT(connection.session->TakeEvents(), Contains("status 1 RESOURCE_EXHAUSTED: too large"));
  lent.AwaitReturn();
  const auto cancels = connection.peer->Take<wire::v1::Cancel>();
  ASSERT_THAT(cancels, SizeIs(1));
  EXPECT_EQ(cancels[0].code(), static_cast<uint32_t>(absl::StatusCode::kCancelled));
  const auto ends = connection.peer->Take<wire::v1::PayloadEnd>();
  ASSERT_THAT(ends, SizeIs(1));
  EXPECT_EQ(ends[0].size(), 0u);
  // A grant that crossed the withdrawal is spent for nothing: the connection's own credit is as it was.
  connection.peer->Grant((64 << 10) + (1 << 20), call, 5 + (1 << 20));
  connection.session->StartCall("/s/M", std::string(60 << 10, 'x'));
  connection.session->StartCall("/s/M", std::string(60 << 10, 'x'));
  loop_.RunUntilIdle();
  const std::vector<ReceivedFrame> frames = connection.peer->TakeAll();
  std::vector<bool> covered;
  for (const ReceivedFrame& frame : frames) {
    if (frame.type() == FrameType::kCallStart) covered.push_back(frame.has(wire::kFlagCovered));
  }
  EXPECT_THAT(covered, ElementsAre(true, true, false));
}

TEST_F(SessionTest, FramesOfACallThatIsOverAreDrained) {
  SessionOptions options = TestOptions(false);
  const auto held = options.held_budget;
  SessionAndPeer connection(loop_, std::move(options));
  connection.peer->Greet();
  connection.peer->StartCall(1, "/s/M", "hello", 1);
  connection.peer->BeginPayload(1, 1, 50'000);
  connection.peer->Chunk(1, 0, Pattern(4096));
  connection.session->SendStatus(1, absl::StatusCode::kNotFound);  // early
  connection.session->session().DiscardIncoming(1);
  loop_.RunUntilIdle();
  EXPECT_EQ(held->reserved(), 0u);
  connection.session->TakeEvents();
  connection.peer->Chunk(1, 4096, Pattern(8192));
  connection.peer->AbortPayload(1, 12'288);
  connection.peer->Cancel(1);
  connection.peer->StartCall(2, "/s/M", std::string(60'000, 'x'));
  EXPECT_THAT(connection.session->TakeEvents(), ElementsAre("start 2 /s/M", "message 2 60000 bytes, last"));
  EXPECT_EQ(connection.peer->Take<wire::v1::Ack>().back().received_bytes(), 12'288u);
}

TEST_F(SessionTest, PayloadsStayWithinTheWindow) {
  wire::Settings settings = DefaultSettings();
  settings.window = 256 << 10;
  settings.max_chunk_length = 64 << 10;
  SessionAndPeer connection(loop_, TestOptions(true));
  connection.peer->Greet(settings);
  connection.session->StartCall("/s/M", "", InMemory(Pattern(2'000'000)));
  loop_.RunUntilIdle();
  connection.peer->Grant(3'000'000, 1, 3'000'000);
  uint64_t acknowledged = 0;
  while (connection.peer->payload_bytes() > acknowledged) {
    EXPECT_LE(connection.peer->payload_bytes() - acknowledged, settings.window);
    acknowledged = connection.peer->payload_bytes();
    connection.peer->Ack(acknowledged);
  }
  EXPECT_EQ(acknowledged, 2'000'000u);
  EXPECT_EQ(connection.peer->misbehaviour(), "") << "chunks longer than the peer's setting";
}

TEST_F(SessionTest, ALoweredWindowIsKeptTo) {
  SessionAndPeer connection(loop_, TestOptions(true));
  connection.peer->Greet();
  wire::v1::Settings lower;
  for (const auto& [id, value] :
       {std::pair(wire::SettingId::kWindow, 128 << 10), std::pair(wire::SettingId::kMaxChunkLength, 64 << 10)}) {
    wire::v1::Setting& setting = *lower.add_settings();
    setting.set_id(static_cast<uint32_t>(id));
    setting.set_value(value);
  }
  connection.peer->SendFrame(FrameType::kSettings, 0, lower);
  const std::vector<ReceivedFrame> answers = connection.peer->TakeAll();
  ASSERT_THAT(answers, SizeIs(1));
  EXPECT_EQ(answers[0].type(), FrameType::kSettings);
  EXPECT_TRUE(answers[0].has(wire::kFlagAck));
  connection.session->StartCall("/s/M", "", InMemory(Pattern(2'000'000)));
  loop_.RunUntilIdle();
  connection.peer->Grant(3'000'000, 1, 3'000'000);
  EXPECT_EQ(connection.peer->payload_bytes(), 128u << 10);
}

TEST_F(SessionTest, PayloadsWaitForThePrefaceAndCallsDoNot) {
  SessionAndPeer connection(loop_, TestOptions(true));
  connection.session->StartCall("/s/M", "hello", InMemory(Pattern(10'000)));
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.peer->Take<wire::v1::CallStart>(), SizeIs(1));
  EXPECT_THAT(connection.peer->TakeAll(), IsEmpty());
  connection.peer->Greet();
  EXPECT_THAT(connection.peer->Take<wire::v1::PayloadBegin>(), SizeIs(1));
  EXPECT_EQ(connection.peer->payload_bytes(), 10'000u);
}

TEST_F(SessionTest, TwoPayloadsTakeTurns) {
  SessionAndPeer connection(loop_, TestOptions(true));
  connection.peer->Greet();
  connection.session->StartCall("/s/M", "", InMemory(Pattern(1 << 20)));
  connection.session->StartCall("/s/M", "", InMemory(Pattern(1 << 20)));
  loop_.RunUntilIdle();
  connection.peer->StopReading();
  connection.peer->Grant((64 << 10) + (1 << 20), 1, 64 + (1 << 20));
  connection.peer->Grant((64 << 10) + (2 << 20), 2, 64 + (1 << 20));
  connection.peer->ReadAgain();
  std::vector<uint64_t> order;
  for (const wire::v1::Chunk& chunk : connection.peer->Take<wire::v1::Chunk>()) order.push_back(chunk.payload_id());
  // The first has sent what fits before the second is granted; from then on they alternate.
  ASSERT_THAT(order, SizeIs(8));
  const auto second = std::find(order.begin(), order.end(), 2u);
  EXPECT_LE(second - order.begin(), 3);
  EXPECT_EQ(*(second + 1), 1u);
  EXPECT_EQ(*(second + 2), 2u);
}

TEST_F(SessionTest, APingIsAnsweredBeforeBulkThatWaits) {
  SessionAndPeer connection(loop_, TestOptions(true), {.buffer_bytes = 16 << 10});
  connection.peer->Greet();
  connection.session->StartCall("/s/M", "", InMemory(Pattern(2 << 20)));
  loop_.RunUntilIdle();
  connection.peer->StopReading();
  connection.peer->Grant((64 << 10) + (2 << 20), 1, 2 << 20);
  connection.peer->Ping(77);
  connection.peer->ReadAgain();
  const std::vector<ReceivedFrame> frames = connection.peer->TakeAll();
  size_t chunks_before = 0;
  for (const ReceivedFrame& frame : frames) {
    if (frame.type() == FrameType::kPing) break;
    chunks_before += frame.type() == FrameType::kChunk;
  }
  EXPECT_LE(chunks_before, 1u) << "one chunk was on its way already";
}

TEST_F(SessionTest, WhatAPeerSaidBeforeItWentIsTheReason) {
  SessionAndPeer connection(loop_, TestOptions(true));
  connection.peer->Greet();
  connection.session->TakeEvents();
  connection.session->StartCall("/s/M", "hello");
  wire::v1::GoAway go_away;
  go_away.set_code(static_cast<uint32_t>(absl::StatusCode::kResourceExhausted));
  go_away.set_message("flood of pings");
  connection.peer->SayLast(FrameType::kGoAway, go_away);
  loop_.RunUntilIdle();
  const std::vector<std::string> events = connection.session->TakeEvents();
  ASSERT_THAT(events, SizeIs(2));
  EXPECT_EQ(events[0], "go-away 0: flood of pings");
  EXPECT_EQ(connection.session->closed()->code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(events[1], ::testing::HasSubstr("flood of pings"));
}

TEST_F(SessionTest, AConnectionThatDiesReturnsThePayloadsThatWereToBeSent) {
  for (const bool granted : {false, true}) {
    SessionAndPeer connection(loop_, TestOptions(true));
    connection.peer->Greet();
    LentMemory lent(8 << 20);
    connection.session->StartCall("/s/M", "hello", lent.Lend());
    loop_.RunUntilIdle();
    if (granted) connection.peer->Grant((64 << 10) + (8 << 20), 1, 5 + (8 << 20));
    connection.peer->Reset();
    EXPECT_EQ(connection.session->closed()->code(), absl::StatusCode::kUnavailable);
    lent.AwaitReturn();
    connection.session.reset();
    EXPECT_EQ(lent.returned(), 1);
  }
}

TEST_F(SessionTest, WhatWasReceivedIsToldBeforeTheCallEnds) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.peer->Greet();
  connection.session->on_payload = [&](uint64_t call_id) { connection.session->SendStatus(call_id); };
  connection.peer->StartCall(1, "/s/M", "hello", 1);
  connection.peer->WholePayload(1, 1, Pattern(10'000));
  loop_.RunUntilIdle();
  bool told = false, ended = false;
  for (const auto& frame : connection.peer->TakeAll()) {
    if (const auto* ack = std::get_if<wire::v1::Ack>(&frame.body); ack != nullptr && ack->receipts_size() > 0) {
      EXPECT_FALSE(ended) << "the client's report would lack what the receipt says";
      told = true;
    }
    if (std::holds_alternative<wire::v1::CallStatus>(frame.body)) ended = true;
  }
  EXPECT_TRUE(told);
  EXPECT_TRUE(ended);
}

// The end.

TEST_F(SessionTest, CloseSendsEverythingFirst) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.peer->Greet();
  connection.peer->StartCall(1, "/s/M", "hello");
  connection.session->SendMessage(1, "reply");
  connection.session->SendStatus(1);
  connection.session->session().Close(absl::Seconds(10));
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.peer->Take<wire::v1::CallStatus>(), SizeIs(1));
  EXPECT_TRUE(connection.peer->ended());
  loop_.AdvanceTime(absl::Milliseconds(1));
  EXPECT_EQ(*connection.session->closed(), absl::OkStatus());
}

TEST_F(SessionTest, CloseWaitsForCreditThatTheLastAnswerNeeds) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.peer->Greet();
  connection.peer->StartCall(1, "/s/M", "hello");
  connection.session->SendMessage(1, "reply", InMemory(Pattern(1 << 20)));
  connection.session->SendStatus(1);
  connection.session->session().Close(absl::InfiniteDuration());
  loop_.AdvanceTime(absl::Hours(1));
  ASSERT_FALSE(connection.session->closed().has_value());
  connection.peer->Grant((64 << 10) + (1 << 20), 1, 64 + (1 << 20));
  EXPECT_EQ(connection.peer->payload_bytes(), 1u << 20);
  EXPECT_THAT(connection.peer->Take<wire::v1::CallStatus>(), SizeIs(1));
  loop_.AdvanceTime(absl::Seconds(1));
  EXPECT_EQ(*connection.session->closed(), absl::OkStatus());
}

TEST_F(SessionTest, CloseEndsWhenPatienceIsOver) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.peer->Greet();
  connection.peer->StartCall(1, "/s/M", "hello");
  connection.session->SendMessage(1, "reply", InMemory(Pattern(1 << 20)));
  connection.session->SendStatus(1);
  connection.session->session().Close(absl::InfiniteDuration());
  connection.session->session().Close(absl::Seconds(5));
  loop_.AdvanceTime(absl::Seconds(5) - absl::Nanoseconds(1));
  EXPECT_FALSE(connection.session->closed().has_value());
  loop_.AdvanceTime(absl::Nanoseconds(1));
  EXPECT_EQ(*connection.session->closed(), absl::OkStatus());
}

TEST_F(SessionTest, NothingIsWrittenAfterTheLastFrame) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.peer->Greet();
  connection.peer->StopReading();
  connection.session->session().Close(absl::Seconds(10));
  loop_.RunUntilIdle();  // the end has been written, and not been read
  connection.peer->Ping(1);
  connection.peer->StartCall(1, "/s/M", "hello");
  connection.session->SendStatus(1);
  connection.peer->Send("no frame at all, which would be answered with GO_AWAY");
  loop_.RunUntilIdle();
  EXPECT_EQ(connection.session->closed()->code(), absl::StatusCode::kInvalidArgument);
  connection.peer->ReadAgain();
  EXPECT_THAT(connection.peer->TakeAll(), IsEmpty());
}

TEST_F(SessionTest, APeerThatReadsNothingIsCutOffAfterAWhile) {
  SessionAndPeer connection(loop_, TestOptions(true), {.buffer_bytes = 4 << 10});
  connection.peer->Greet();
  connection.peer->StopReading();
  connection.session->StartCall("/s/M", std::string(10'000, 'x'));
  loop_.AdvanceTime(absl::Seconds(30) - absl::Nanoseconds(1));
  EXPECT_FALSE(connection.session->closed().has_value());
  loop_.AdvanceTime(absl::Nanoseconds(1));
  EXPECT_EQ(*connection.session->closed(), absl::UnavailableError("the peer has read nothing for 30s"));
}

// Limits of the peer's.

TEST_F(SessionTest, AStatusTooLargeForThePeerIsCut) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.peer->Greet();
  connection.peer->StartCall(1, "/s/M", "hello");
  wire::v1::CallStatus status;
  status.set_call_id(1);
  status.set_code(static_cast<uint32_t>(absl::StatusCode::kNotFound));
  status.set_message(std::string(100'000, 'm'));
  connection.session->session().SendStatus(std::move(status));
  loop_.RunUntilIdle();
  EXPECT_EQ(connection.peer->misbehaviour(), "");
  auto statuses = connection.peer->Take<wire::v1::CallStatus>();
  ASSERT_THAT(statuses, SizeIs(1));
  EXPECT_EQ(statuses[0].code(), static_cast<uint32_t>(absl::StatusCode::kNotFound));
  EXPECT_EQ(statuses[0].message(),
            std::string(1024, 'm') +
                "... (cut; STATUS: its body of 100008 bytes exceeds the peer's max_body_length of 65536)");
}

TEST_F(SessionTest, TrailingMetadataTooLargeForThePeerIsNoSuccess) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.peer->Greet();
  connection.peer->StartCall(1, "/s/M", "hello");
  wire::v1::CallStatus status;
  status.set_call_id(1);
  wire::v1::Metadata& pair = *status.add_trailing_metadata();
  pair.set_key("k");
  pair.set_value(std::string(100'000, 'v'));
  connection.session->session().SendStatus(std::move(status));
  loop_.RunUntilIdle();
  auto statuses = connection.peer->Take<wire::v1::CallStatus>();
  ASSERT_THAT(statuses, SizeIs(1));
  EXPECT_EQ(statuses[0].code(), static_cast<uint32_t>(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(statuses[0].message(), "STATUS: its body of 100013 bytes exceeds the peer's max_body_length of 65536");
}

TEST_F(SessionTest, ReceiptsGoOutInAcksThatEveryPeerAccepts) {
  wire::Settings settings = DefaultSettings();
  settings.max_body_length = 32 << 10;
  SessionAndPeer connection(loop_, TestOptions(false), {.buffer_bytes = 4 << 10});
  connection.peer->Greet(settings);
  connection.peer->StopReading();
  connection.peer->Ping(std::numeric_limits<uint64_t>::max());
  constexpr uint64_t kCalls = 3000;
  for (uint64_t id = 1; id <= kCalls; ++id) {
    connection.peer->StartCall(id, "/s/M", "", id);
    connection.peer->WholePayload(id, id, "small");
    connection.session->payloads.clear();
    connection.session->SendStatus(id);
  }
  connection.peer->ReadAgain();
  EXPECT_EQ(connection.peer->misbehaviour(), "");
  EXPECT_THAT(connection.peer->Take<wire::v1::CallStatus>(), SizeIs(kCalls));
  uint64_t receipts = 0;
  for (const wire::v1::Ack& ack : connection.peer->Take<wire::v1::Ack>()) receipts += ack.receipts_size();
  EXPECT_EQ(receipts, kCalls);
}

TEST_F(SessionTest, LimitsBeyondTheFormatsAreBroughtIntoRange) {
  SessionOptions client = TestOptions(true);
  SessionOptions server = TestOptions(false);
  client.max_metadata_bytes = server.max_metadata_bytes = std::numeric_limits<uint64_t>::max();
  client.limits.max_message_bytes = server.limits.max_message_bytes = std::numeric_limits<uint64_t>::max();
  client.limits.max_payload_bytes = server.limits.max_payload_bytes = std::numeric_limits<uint64_t>::max();
  TwoSessions both(loop_, std::move(client), std::move(server));
  both.client->StartCall("/s/M", "hello");
  loop_.RunUntilIdle();
  EXPECT_THAT(both.server->TakeEvents(), ElementsAre("start 1 /s/M", "message 1 5 bytes, last"));
}

// A valid session, cut off after each of its bytes: the connection ends and nothing stays reserved.
TEST_F(SessionTest, AStreamMayEndAnywhere) {
  std::string bytes;
  wire::AppendPreface(wire::MakePreface(std::string(16, 's'), 0, 0, wire::Settings(), "cut"), bytes);
  const size_t preface_size = bytes.size();
  wire::v1::CallStart start;
  start.set_call_id(1);
  start.set_method("/s/M");
  start.set_message_size(8);
  start.set_payload_id(1);
  wire::AppendFrame(FrameType::kCallStart, kWhole | wire::kFlagMore, start, "mess", bytes);
  std::vector<size_t> boundaries = {preface_size, bytes.size()};
  wire::v1::MessagePart rest;
  rest.set_call_id(1);
  wire::AppendFrame(FrameType::kMessage, wire::kFlagContinuation | wire::kFlagEndStream, rest, "ages", bytes);
  boundaries.push_back(bytes.size());
  wire::v1::PayloadBegin begin;
  begin.set_payload_id(1);
  begin.set_call_id(1);
  begin.set_size(4099);
  wire::AppendFrame(FrameType::kPayloadBegin, wire::kFlagCovered, begin, {}, bytes);
  boundaries.push_back(bytes.size());
  wire::v1::Chunk chunk;
  chunk.set_payload_id(1);
  wire::AppendChunkHeader(chunk, 4096, bytes);
  bytes += Pattern(4096);
  boundaries.push_back(bytes.size());
  wire::v1::PayloadEnd end;
  end.set_payload_id(1);
  end.set_size(4099);
  end.set_outcome(wire::v1::PayloadEnd::COMPLETE);
  wire::AppendFrame(FrameType::kPayloadEnd, 0, end, "end", bytes);
  boundaries.push_back(bytes.size());

  const uint64_t credit_before = memory::ConnectionCreditBudget().reserved();
  for (size_t length = 0; length <= bytes.size(); ++length) {
    SCOPED_TRACE(absl::StrCat("cut after ", length, " of ", bytes.size(), " bytes"));
    SessionOptions options = TestOptions(false);
    const auto held = options.held_budget;
    SessionAndPeer connection(loop_, std::move(options));
    ASSERT_TRUE(connection.peer->Send(std::string_view(bytes).substr(0, length)));
    ASSERT_FALSE(connection.session->closed().has_value());
    connection.peer->CloseWrite();
    ASSERT_TRUE(connection.session->closed().has_value());
    const bool whole = std::find(boundaries.begin(), boundaries.end(), length) != boundaries.end();
    EXPECT_EQ(
        *connection.session->closed(),
        absl::UnavailableError(length < preface_size ? "the peer closed the connection before its preface was complete"
                               : whole               ? "the peer closed the connection"
                                                     : "the peer closed the connection in the middle of a frame"));
    EXPECT_EQ(connection.session->payloads.size(), length == bytes.size() ? 1u : 0u);
    connection.session->payloads.clear();
    EXPECT_EQ(held->reserved(), 0u);
    connection.session.reset();
    EXPECT_EQ(memory::ConnectionCreditBudget().reserved(), credit_before);
  }
}

}  // namespace
}  // namespace pagewire::transport::testing
