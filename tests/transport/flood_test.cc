// Peers that make work and read nothing: what waits for them is bounded, and then they are cut off.
#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "transport/connected.h"
#include "transport/flood_guard.h"
#include "transport/lent_memory.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using wire::FrameType;

TEST(FloodGuardTest, ABurstThenARate) {
  FloodGuard guard({"knocks", 3, 2, ""});
  absl::Time now = absl::UnixEpoch();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(guard.Count(now), absl::OkStatus());
  const absl::Status flood = absl::ResourceExhaustedError("flood of knocks: more than 3 at once and 2 per second");
  EXPECT_EQ(guard.Count(now), flood);
  now += absl::Milliseconds(499);
  EXPECT_EQ(guard.Count(now), flood);
  now += absl::Milliseconds(2);
  EXPECT_EQ(guard.Count(now), absl::OkStatus());
  EXPECT_EQ(guard.Count(now), flood);
  for (int i = 0; i < 1000; ++i) {
    now += absl::Milliseconds(500);
    EXPECT_EQ(guard.Count(now), absl::OkStatus()) << "the rate may go on for ever";
  }
  now += absl::Hours(1000);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(guard.Count(now), absl::OkStatus());
  EXPECT_EQ(guard.Count(now), flood) << "what was not used does not add up beyond the burst";
}

class FloodTest : public ::testing::Test {
 protected:
  void ExpectCutOff(const SessionAndPeer& connection, const std::string& message) {
    ASSERT_TRUE(connection.session->closed().has_value());
    EXPECT_EQ(*connection.session->closed(), absl::ResourceExhaustedError(message));
  }

  ManualLoop loop_;
};

TEST_F(FloodTest, Pings) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.peer->Greet();
  for (uint64_t i = 1; i <= 100; ++i) connection.peer->Ping(i);
  EXPECT_THAT(connection.peer->Take<wire::v1::Ping>(), SizeIs(100));
  for (uint64_t i = 1; i <= 100; ++i) {
    loop_.AdvanceTime(absl::Milliseconds(100));
    connection.peer->Ping(i);
  }
  EXPECT_THAT(connection.peer->Take<wire::v1::Ping>(), SizeIs(100));
  ASSERT_FALSE(connection.session->closed().has_value());
  connection.peer->Ping(1);
  ExpectCutOff(connection, "flood of pings: more than 100 at once and 10 per second");
}

TEST_F(FloodTest, Settings) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.peer->Greet();
  for (int i = 0; i < 20; ++i) connection.peer->ChangeSetting(wire::SettingId::kWindow, 1 << 20);
  ASSERT_FALSE(connection.session->closed().has_value());
  connection.peer->ChangeSetting(wire::SettingId::kWindow, 1 << 20);
  ExpectCutOff(connection, "flood of settings: more than 20 at once and 1 per second");
}

TEST_F(FloodTest, CallsThatAreStartedAndCancelled) {
  SessionAndPeer connection(loop_, TestOptions(false));
  connection.session->on_message = [&](uint64_t call_id) { connection.session->SendStatus(call_id); };
  connection.peer->Greet();
  uint64_t id = 0;
  while (!connection.session->closed().has_value() && id < 30'000) {
    ++id;
    connection.peer->StartCall(id, "/s/M", "");
    connection.peer->Cancel(id);
    connection.session->TakeEvents();
    connection.peer->TakeAll();
  }
  EXPECT_EQ(id, 20'001u);
  ExpectCutOff(connection, "flood of cancelled calls: more than 20000 at once and 2000 per second");
}

// From here on the peer does not read.

TEST_F(FloodTest, AnswersToPingsAreBounded) {
  SessionAndPeer connection(loop_, TestOptions(false), {.buffer_bytes = 64 << 10});
  connection.peer->Greet();
  connection.peer->StopReading();
  std::string ping;
  wire::v1::Ping body;
  body.GetReflection()->MutableUnknownFields(&body)->AddLengthDelimited(15, std::string(20'000, 'x'));
  wire::AppendFrame(FrameType::kPing, 0, body, {}, ping);
  int sent = 0;
  while (!connection.session->closed().has_value() && sent < 100) {
    connection.peer->Send(ping);
    ++sent;
  }
  EXPECT_LT(sent, 20);
  ASSERT_TRUE(connection.session->closed().has_value());
  EXPECT_EQ(connection.session->closed()->code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(connection.session->closed()->message()),
              MatchesRegex("the peer does not read: 2[678][0-9]+ bytes of control frames wait for it, the limit is "
                           "262144"));
}

TEST_F(FloodTest, GrantsAreBounded) {
  SessionOptions options = TestOptions(false);
  options.max_concurrent_calls = 100'000;
  SessionAndPeer connection(loop_, std::move(options), {.buffer_bytes = 16 << 10});
  connection.peer->Greet();
  connection.peer->StopReading();
  uint64_t id = 0;
  while (!connection.session->closed().has_value() && id < 50'000) {
    ++id;
    connection.peer->AnnounceCall(id, "/s/M", 1);
  }
  EXPECT_LT(id, 12'000u);
  EXPECT_EQ(connection.session->closed()->code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(connection.session->closed()->message()), MatchesRegex("the peer does not read: .*"));
}

TEST_F(FloodTest, ReceiptsAreBounded) {
  SessionOptions options = TestOptions(false);
  options.max_concurrent_calls = 100'000;
  SessionAndPeer connection(loop_, std::move(options), {.buffer_bytes = 16 << 10});
  connection.peer->Greet();
  connection.peer->StopReading();
  uint64_t id = 0;
  while (!connection.session->closed().has_value() && id < 50'000) {
    ++id;
    connection.peer->StartCall(id, "/s/M", "", id);
    connection.peer->WholePayload(id, id, "");
    connection.session->payloads.clear();
  }
  EXPECT_LT(id, 50'000u);
  EXPECT_THAT(std::string(connection.session->closed()->message()), MatchesRegex("the peer does not read: .*"));
}

TEST_F(FloodTest, PayloadsThatNobodyWantsMakeNoReceipts) {
  SessionAndPeer connection(loop_, TestOptions(false), {.buffer_bytes = 16 << 10});
  connection.peer->Greet();
  connection.peer->StartCall(1, "/s/M", "", 0, kWhole);
  connection.session->session().DiscardIncoming(1);
  connection.peer->StopReading();
  for (uint64_t id = 1; id <= 10'000; ++id) {
    connection.peer->Message(1, "", id);
    connection.peer->WholePayload(id, 1, "");
  }
  ASSERT_FALSE(connection.session->closed().has_value());
  connection.peer->ReadAgain();
  for (const wire::v1::Ack& ack : connection.peer->Take<wire::v1::Ack>()) EXPECT_EQ(ack.receipts_size(), 0);
}

TEST_F(FloodTest, StatusesAreBounded) {
  SessionOptions options = TestOptions(false);
  options.max_concurrent_calls = 10;
  SessionAndPeer connection(loop_, std::move(options), {.buffer_bytes = 1 << 10});
  connection.session->on_message = [&](uint64_t call_id) {
    connection.session->SendStatus(call_id, absl::StatusCode::kNotFound, std::string(1000, 'x'));
  };
  connection.peer->Greet();
  connection.peer->StopReading();
  uint64_t id = 0;
  while (!connection.session->closed().has_value() && id < 50'000) {
    ++id;
    connection.peer->StartCall(id, "/s/M", "");
  }
  // What is in the pipe already counts no more.
  EXPECT_LT(id, 10u + 1024 + 150);
  ExpectCutOff(connection, "CALL_START: 1034 calls have not ended, the limit is 10");
}

TEST_F(FloodTest, AnswersWithPayloadsAreBoundedAndReturned) {
  SessionOptions options = TestOptions(false);
  options.max_concurrent_calls = 10;
  SessionAndPeer connection(loop_, std::move(options), {.buffer_bytes = 1 << 10});
  LentMemory lent(1 << 20);
  {
    const Payload large = lent.Lend();
    connection.session->on_message = [&](uint64_t call_id) {
      connection.session->SendMessage(call_id, "here", large);
      connection.session->SendStatus(call_id);
    };
    connection.peer->Greet();
    connection.peer->StopReading();
    uint64_t id = 0;
    while (!connection.session->closed().has_value() && id < 50'000) {
      ++id;
      connection.peer->StartCall(id, "/s/M", "");
      EXPECT_LT(id, 2000u);
    }
    ExpectCutOff(connection, "CALL_START: 1034 calls have not ended, the limit is 10");
    connection.session->on_message = nullptr;
  }
  lent.AwaitReturn();
}

TEST_F(FloodTest, MessagesThatWaitForCreditLeaveTheLineWithTheirConnection) {
  memory::Budget& budget = memory::ConnectionCreditBudget();
  const uint64_t before = budget.reserved();
  {
    SessionAndPeer connection(loop_, TestOptions(false));
    connection.peer->Greet();
    const memory::Reservation all = budget.Overdraw(budget.limit(), "the test");
    for (uint64_t id = 1; id <= 5000; ++id) connection.peer->AnnounceCall(id, "/s/M", 4 << 20);
    EXPECT_THAT(connection.peer->Take<wire::v1::Credit>(), IsEmpty());
    connection.peer->Vanish();
    loop_.RunUntilIdle();
    EXPECT_TRUE(connection.session->closed().has_value());
  }
  EXPECT_EQ(budget.reserved(), before);
}

}  // namespace
}  // namespace pagewire::transport::testing
