// Connections without calls.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "call/connections.h"

namespace pagewire::call::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class IdleTest : public ::testing::Test {
 protected:
  static transport::SessionOptions Options(bool initiator) {
    transport::SessionOptions options = TestOptions(initiator);
    options.idle_timeout = absl::Minutes(10);
    return options;
  }

  ManualLoop loop_;
  FakeHandlers handlers_;
};

TEST_F(IdleTest, AServerDrainsAConnectionThatHasNoCalls) {
  ServerAndPeer connection(loop_, handlers_, Options(false));
  loop_.AdvanceTime(absl::Minutes(9));
  connection.peer->StartCall(1, kEcho.name, "");
  loop_.AdvanceTime(absl::Hours(1));
  EXPECT_THAT(connection.peer->Take<wire::v1::GoAway>(), IsEmpty()) << "there is a call";
  handlers_.Take().Return(internal::RawMessage());
  loop_.AdvanceTime(absl::Minutes(9));
  EXPECT_THAT(connection.peer->Take<wire::v1::GoAway>(), IsEmpty());
  loop_.AdvanceTime(absl::Minutes(1));
  const auto go_aways = connection.peer->Take<wire::v1::GoAway>();
  ASSERT_THAT(go_aways, SizeIs(1));
  EXPECT_EQ(go_aways[0].message(), "the connection had no calls for 10m");
  EXPECT_EQ(go_aways[0].last_call_id(), 1u);
  EXPECT_TRUE(connection.peer->ended());
}

TEST_F(IdleTest, ACallThatWasOnItsWayIsRefusedAsNotStarted) {
  ServerAndPeer connection(loop_, handlers_, Options(false));
  connection.peer->StartCall(1, kEcho.name, "");
  RunningHandler handler = handlers_.Take();
  (*connection.server)->Drain();
  connection.peer->StartCall(2, kEcho.name, "");
  EXPECT_TRUE(connection.TakeStatus().not_started());
  handler.Return(internal::RawMessage());
  loop_.RunUntilIdle();
}

TEST_F(IdleTest, AClientLearnsThatItHasHadNoCalls) {
  ClientAndPeer connection(loop_, Options(true));
  loop_.AdvanceTime(absl::Minutes(10));
  EXPECT_EQ(connection.client->idle(), 1) << "none at all";
  auto first = connection.client->Start(kEcho, "");
  auto second = connection.client->Start(kEcho, "");
  connection.peer->Status(1, absl::StatusCode::kNotFound);
  loop_.AdvanceTime(absl::Hours(1));
  EXPECT_EQ(connection.client->idle(), 1);
  connection.peer->Status(2, absl::StatusCode::kNotFound);
  loop_.AdvanceTime(absl::Minutes(9));
  EXPECT_EQ(connection.client->idle(), 1);
  loop_.AdvanceTime(absl::Minutes(1));
  EXPECT_EQ(connection.client->idle(), 2);
  EXPECT_EQ(first->results, 1);
  EXPECT_EQ(second->results, 1);
}

TEST_F(IdleTest, NeverByDefault) {
  ServerAndPeer server(loop_, handlers_);
  ClientAndPeer client(loop_);
  loop_.AdvanceTime(absl::Hours(24 * 365));
  EXPECT_EQ(client.client->idle(), 0);
  EXPECT_THAT(server.peer->Take<wire::v1::GoAway>(), IsEmpty());
}

}  // namespace
}  // namespace pagewire::call::testing
