// How a server's connection ends when the server wants it to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call/connections.h"
#include "transport/lent_memory.h"

namespace pagewire::call::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using transport::testing::InMemory;
using transport::testing::Pattern;

class ServerDrainTest : public ::testing::Test {
 protected:
  ManualLoop loop_;
  FakeHandlers handlers_;
};

TEST_F(ServerDrainTest, AnIdleConnectionClosesAtOnce) {
  ServerAndPeer connection(loop_, handlers_);
  (*connection.server)->Drain();
  loop_.RunUntilIdle();
  const auto go_aways = connection.peer->Take<wire::v1::GoAway>();
  ASSERT_THAT(go_aways, SizeIs(1));
  EXPECT_EQ(go_aways[0].last_call_id(), 0u);
  EXPECT_EQ(go_aways[0].code(), 0u);
  EXPECT_EQ(go_aways[0].message(), "the server is shutting down");
  EXPECT_TRUE(connection.peer->ended());
  loop_.AdvanceTime(absl::Milliseconds(1));
  EXPECT_TRUE(connection.server->closed());
}

TEST_F(ServerDrainTest, CallsInFlightAreAnsweredAndNewOnesRefused) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kEcho.name, "");
  (*connection.server)->Drain();
  (*connection.server)->Drain();
  loop_.RunUntilIdle();
  EXPECT_THAT(connection.peer->Take<wire::v1::GoAway>(), SizeIs(1));
  connection.peer->StartCall(2, kEcho.name, "");
  const wire::v1::CallStatus refused = connection.TakeStatus();
  EXPECT_EQ(refused.call_id(), 2u);
  EXPECT_EQ(refused.code(), static_cast<uint32_t>(absl::StatusCode::kUnavailable));
  EXPECT_EQ(refused.message(), "/t.S/Echo: the server is shutting down");
  EXPECT_TRUE(refused.not_started());
  loop_.AdvanceTime(absl::Hours(1));
  EXPECT_FALSE(connection.server->closed());
  handlers_.Take().Return(internal::RawMessage{"answer", Payload()});
  loop_.RunUntilIdle();
  EXPECT_EQ(connection.TakeStatus().call_id(), 1u);
  EXPECT_TRUE(connection.peer->ended());
  loop_.AdvanceTime(absl::Milliseconds(1));
  EXPECT_TRUE(connection.server->closed());
}

TEST_F(ServerDrainTest, ALargeAnswerIsSentToItsEnd) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kGet.name, "");
  (*connection.server)->Drain();
  handlers_.Take().Return(internal::RawMessage{"", InMemory(Pattern(10 << 20))});
  loop_.RunUntilIdle();
  connection.peer->Grant((64 << 10) + (10 << 20), 1, 64 + (10 << 20));
  // A slow reader: each window takes it ten seconds.
  uint64_t acknowledged = 0;
  while (connection.peer->payload_bytes() > acknowledged) {
    if (connection.peer->payload_bytes() < (10 << 20)) {
      loop_.AdvanceTime(absl::Seconds(10));
      ASSERT_FALSE(connection.server->closed());
    }
    acknowledged = connection.peer->payload_bytes();
    connection.peer->Ack(acknowledged);
  }
  EXPECT_EQ(acknowledged, 10u << 20);
  EXPECT_EQ(connection.TakeStatus().code(), 0u);
  loop_.AdvanceTime(absl::Seconds(1));
  EXPECT_TRUE(connection.server->closed());
}

TEST_F(ServerDrainTest, StopEndsAllCalls) {
  ServerAndPeer connection(loop_, handlers_);
  connection.peer->StartCall(1, kEcho.name, "");
  connection.peer->StartCall(2, kPut.name, "", 1);
  (*connection.server)->Stop(absl::Seconds(1));
  loop_.RunUntilIdle();
  auto statuses = connection.peer->Take<wire::v1::CallStatus>();
  ASSERT_THAT(statuses, SizeIs(2));
  for (const wire::v1::CallStatus& status : statuses) {
    EXPECT_EQ(status.code(), static_cast<uint32_t>(absl::StatusCode::kUnavailable));
    EXPECT_EQ(status.not_started(), status.call_id() == 2) << "a handler runs for the first";
  }
  EXPECT_TRUE(connection.peer->ended());
  loop_.AdvanceTime(absl::Seconds(1));
  EXPECT_TRUE(connection.server->closed());
  RunningHandler handler = handlers_.Take();
  EXPECT_TRUE(handler.state->cancelled());
  handler.Return(internal::RawMessage());
  loop_.RunUntilIdle();
}

TEST_F(ServerDrainTest, StopDoesNotWaitForAClientThatReadsNothing) {
  ServerAndPeer connection(loop_, handlers_, TestOptions(false), {.buffer_bytes = 16 << 10});
  connection.peer->StartCall(1, kEcho.name, "");
  connection.peer->StopReading();
  handlers_.Take().Return(internal::RawMessage{std::string(60'000, 'x'), Payload()});
  (*connection.server)->Drain();
  loop_.AdvanceTime(absl::Seconds(10));
  EXPECT_FALSE(connection.server->closed());
  (*connection.server)->Stop(absl::Seconds(1));
  loop_.AdvanceTime(absl::Seconds(1));
  EXPECT_TRUE(connection.server->closed());
}

}  // namespace
}  // namespace pagewire::call::testing
