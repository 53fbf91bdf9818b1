// Pings to a silent peer, and limits for a peer that pings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "transport/connected.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::FrameType;

class KeepaliveTest : public ::testing::Test {
 protected:
  SessionOptions Options(bool without_calls = false, bool initiator = false) {
    SessionOptions options = TestOptions(initiator);
    options.keepalive = {absl::Seconds(10), absl::Seconds(3), without_calls};
    return options;
  }

  void Answer(SessionAndPeer& connection, const wire::v1::Ping& ping) {
    connection.peer->SendFrame(FrameType::kPing, wire::kFlagAck, ping);
  }

  ManualLoop loop_;
};

TEST_F(KeepaliveTest, ASilentPeerIsAskedAndGivenUp) {
  SessionAndPeer connection(loop_, Options(true));
  connection.peer->Greet();
  loop_.AdvanceTime(absl::Milliseconds(9'999));
  EXPECT_THAT(connection.peer->Take<wire::v1::Ping>(), IsEmpty());
  loop_.AdvanceTime(absl::Milliseconds(1));
  EXPECT_THAT(connection.peer->Take<wire::v1::Ping>(), SizeIs(1));
  loop_.AdvanceTime(absl::Milliseconds(2'999));
  EXPECT_FALSE(connection.session->closed().has_value());
  loop_.AdvanceTime(absl::Milliseconds(1));
  ASSERT_TRUE(connection.session->closed().has_value());
  EXPECT_EQ(*connection.session->closed(),
            absl::UnavailableError("keepalive: the peer has sent nothing for 13s, not even the answer to a ping within "
                                   "3s"));
}

TEST_F(KeepaliveTest, APeerThatAnswersIsAskedForEver) {
  SessionAndPeer connection(loop_, Options(true));
  connection.peer->Greet();
  for (uint64_t i = 1; i <= 50; ++i) {
    loop_.AdvanceTime(absl::Seconds(10));
    const auto pings = connection.peer->Take<wire::v1::Ping>();
    ASSERT_THAT(pings, SizeIs(1)) << i;
    EXPECT_EQ(pings[0].id(), i);
    Answer(connection, pings[0]);
  }
  EXPECT_FALSE(connection.session->closed().has_value());
}

TEST_F(KeepaliveTest, AnAnswerEndsTheWaitForIt) {
  SessionOptions options = TestOptions(false);
  options.keepalive = {absl::Seconds(1), absl::Hours(1), true};
  SessionAndPeer connection(loop_, std::move(options));
  connection.peer->Greet();
  for (int i = 0; i < 10; ++i) {
    loop_.AdvanceTime(absl::Seconds(1));
    const auto pings = connection.peer->Take<wire::v1::Ping>();
    ASSERT_THAT(pings, SizeIs(1)) << "second " << i;
    Answer(connection, pings[0]);
  }
}

TEST_F(KeepaliveTest, APeerThatSendsAnythingIsNotAsked) {
  SessionAndPeer connection(loop_, Options(true));
  connection.peer->Greet();
  for (int i = 0; i < 20; ++i) {
    loop_.AdvanceTime(absl::Seconds(9));
    connection.peer->Ack(0);
  }
  EXPECT_THAT(connection.peer->Take<wire::v1::Ping>(), IsEmpty());
  loop_.AdvanceTime(absl::Seconds(10));
  EXPECT_THAT(connection.peer->Take<wire::v1::Ping>(), SizeIs(1)) << "ten seconds after the last sign, not later";
  // Anything is as good as the answer.
  connection.peer->Ack(0);
  loop_.AdvanceTime(absl::Seconds(3));
  EXPECT_FALSE(connection.session->closed().has_value());
}

TEST_F(KeepaliveTest, WithoutCallsNobodyIsAskedUnlessThatIsWanted) {
  SessionAndPeer connection(loop_, Options(false));
  connection.peer->Greet();
  loop_.AdvanceTime(absl::Hours(1));
  EXPECT_THAT(connection.peer->Take<wire::v1::Ping>(), IsEmpty());
  EXPECT_FALSE(connection.session->closed().has_value());
  connection.peer->StartCall(1, "/s/M", "");
  loop_.AdvanceTime(absl::Seconds(20));
  EXPECT_THAT(connection.peer->Take<wire::v1::Ping>(), SizeIs(1));
  loop_.AdvanceTime(absl::Seconds(3));
  EXPECT_TRUE(connection.session->closed().has_value());
}

TEST_F(KeepaliveTest, OptionsThatAreZeroOrNegativeMakeNoBusyLoop) {
  SessionOptions options = TestOptions(false);
  options.keepalive = {absl::Seconds(-1), absl::ZeroDuration(), true};
  SessionAndPeer connection(loop_, std::move(options));
  connection.peer->Greet();
  loop_.AdvanceTime(absl::Milliseconds(2));
  EXPECT_TRUE(connection.session->closed().has_value());
}

TEST_F(KeepaliveTest, PingsThatComeTooOftenEndTheConnection) {
  SessionOptions options = TestOptions(false);
  options.pings = {"pings", 3, 0.1, "; less, please"};
  SessionAndPeer connection(loop_, std::move(options));
  connection.peer->Greet();
  for (uint64_t i = 0; i < 20; ++i) {
    connection.peer->Ping(i);
    loop_.AdvanceTime(absl::Seconds(10));
  }
  EXPECT_FALSE(connection.session->closed().has_value()) << "that was often enough";
  for (uint64_t i = 0; i < 4; ++i) {
    connection.peer->Ping(i);
    loop_.AdvanceTime(absl::Seconds(1));
  }
  ASSERT_TRUE(connection.session->closed().has_value());
  EXPECT_EQ(*connection.session->closed(),
            absl::ResourceExhaustedError("flood of pings: more than 3 at once and 0.1 per second; less, please"));
  const auto go_aways = connection.peer->Take<wire::v1::GoAway>();
  ASSERT_THAT(go_aways, SizeIs(1));
  EXPECT_THAT(go_aways[0].message(), HasSubstr("less, please"));
}

}  // namespace
}  // namespace pagewire::transport::testing
