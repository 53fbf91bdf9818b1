// How channels come and go: connectivity states, idleness, keepalive.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <future>
#include <memory>
#include <string>

#include "semantics/semantics_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using ::testing::HasSubstr;

// Long enough for anything that must happen; nothing is expected of it.
absl::Time Soon() { return absl::Now() + absl::Minutes(2); }

class ConnectivityTest : public SemanticsTest {
 protected:
  absl::Status Call(const std::shared_ptr<Channel>& channel) {
    ClientContext context;
    return Semantics::Stub(channel).Echo(context, Item(), Payload()).status();
  }
};

TEST_F(ConnectivityTest, IdleUntilItIsNeeded) {
  const auto channel = MakeChannel();
  EXPECT_EQ(channel->GetState(false), ConnectivityState::kIdle);
  EXPECT_FALSE(channel->WaitForStateChange(ConnectivityState::kIdle, absl::Now() + absl::Milliseconds(20)));
  EXPECT_EQ(Call(channel), absl::OkStatus());
  EXPECT_EQ(channel->GetState(false), ConnectivityState::kReady);
}

TEST_F(ConnectivityTest, AsksForAConnection) {
  const auto channel = MakeChannel();
  EXPECT_EQ(channel->GetState(true), ConnectivityState::kIdle);
  EXPECT_TRUE(channel->WaitForConnected(Soon()));
  EXPECT_EQ(channel->GetState(false), ConnectivityState::kReady);
}

TEST_F(ConnectivityTest, TheFirstOfSeveralAddressesThatAnswers) {
  const auto channel = CreateChannel("ipv4:127.0.0.2:1," + address(), pagewire::testing::TestChannelCredentials());
  EXPECT_EQ(Call(channel), absl::OkStatus());
}

TEST_F(ConnectivityTest, FailureAndRecovery) {
  ChannelOptions options;
  options.initial_backoff = absl::Milliseconds(10);
  options.max_backoff = absl::Milliseconds(20);
  const auto channel = MakeChannel(options);
  server_->Shutdown(absl::Now());
  server_.reset();
  EXPECT_EQ(Call(channel).code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(channel->WaitForConnected(absl::Now() + absl::Milliseconds(100)));
  ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address(), pagewire::testing::TestServerCredentials(), &port);
  builder.RegisterService(&service_);
  absl::StatusOr<std::unique_ptr<Server>> again = builder.BuildAndStart();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(channel->WaitForConnected(Soon()));
  EXPECT_EQ(Call(channel), absl::OkStatus());
  (*again)->Shutdown(absl::Now());
  EXPECT_TRUE(channel->WaitForStateChange(ConnectivityState::kReady, Soon()));
}

TEST_F(ConnectivityTest, WatchersAreToldOnceAndAtTheLatestOfTheEnd) {
  auto channel = MakeChannel();
  std::promise<ConnectivityState> at_once;
  std::promise<ConnectivityState> end;
  channel->OnStateChange(ConnectivityState::kReady, [&](ConnectivityState state) { at_once.set_value(state); });
  EXPECT_EQ(at_once.get_future().get(), ConnectivityState::kIdle);
  channel->OnStateChange(ConnectivityState::kIdle, [&](ConnectivityState state) { end.set_value(state); });
  channel.reset();
  EXPECT_EQ(end.get_future().get(), ConnectivityState::kShutdown);
  EXPECT_EQ(ConnectivityStateName(ConnectivityState::kShutdown), "SHUTDOWN");
}

TEST_F(ConnectivityTest, AWatcherMayDestroyTheChannel) {
  auto channel = MakeChannel();
  std::promise<void> done;
  channel->OnStateChange(ConnectivityState::kIdle, [&](ConnectivityState) {
    channel.reset();
    done.set_value();
  });
  channel->GetState(true);
  done.get_future().get();
}

TEST_F(ConnectivityTest, AChannelThatCannotWorkSaysSo) {
  const auto channel = CreateChannel("ipv4:127.0.0.1:1", nullptr);
  EXPECT_EQ(channel->GetState(true), ConnectivityState::kTransientFailure);
  EXPECT_FALSE(channel->WaitForConnected(absl::Now() + absl::Milliseconds(20)));
}

TEST_F(ConnectivityTest, AnIdleChannelClosesItsConnectionAndMakesItAgain) {
  ChannelOptions options;
  options.idle_timeout = absl::Milliseconds(20);
  const auto channel = MakeChannel(options);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Call(channel), absl::OkStatus());
    while (channel->GetState(false) != ConnectivityState::kIdle) {
      ASSERT_TRUE(channel->WaitForStateChange(channel->GetState(false), Soon()));
    }
  }
}

class ImpatientServerTest : public ConnectivityTest {
 protected:
  void SetUp() override {
    builder_.SetMaxConnectionIdle(absl::Milliseconds(20));
    ConnectivityTest::SetUp();
  }
};

TEST_F(ImpatientServerTest, AnIdleConnectionGoes) {
  const auto channel = MakeChannel();
  for (int i = 0; i < 3; ++i) {
    absl::Status status;
    // A call that meets the server's farewell is not started, and may be repeated.
    do {
      status = Call(channel);
    } while (status.code() == absl::StatusCode::kUnavailable);
    EXPECT_EQ(status, absl::OkStatus());
    while (channel->GetState(false) == ConnectivityState::kReady) {
      ASSERT_TRUE(channel->WaitForStateChange(ConnectivityState::kReady, Soon()));
    }
  }
}

class StrictServerTest : public ConnectivityTest {
 protected:
  void SetUp() override {
    builder_.SetMinPingInterval(absl::Hours(1));
    ConnectivityTest::SetUp();
  }
};

TEST_F(StrictServerTest, KeepaliveThatIsTooEagerEndsTheConnection) {
  ChannelOptions options;
  options.keepalive_time = absl::Milliseconds(5);
  const auto channel = MakeChannel(options);
  Semantics::Stub stub(channel);
  ClientContext context;
  const absl::Status status = stub.Hang(context)->Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("raise ChannelOptions::keepalive_time"));
  service_.AwaitCancelled(1);
}

TEST_F(ConnectivityTest, KeepaliveDoesNotDisturbAQuietCall) {
  ChannelOptions options;
  options.keepalive_time = absl::Milliseconds(200);
  const auto channel = MakeChannel(options);
  Semantics::Stub stub(channel);
  ClientContext context;
  context.set_timeout(absl::Seconds(2));
  EXPECT_EQ(stub.Hang(context)->Finish().code(), absl::StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace pagewire::semantics
