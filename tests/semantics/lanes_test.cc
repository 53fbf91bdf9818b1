// Channels with several connections to their server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "semantics/semantics_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {
namespace {

using ::testing::HasSubstr;

// Notes over which connection each call came.
class PeerNotes final : public ServerInterceptor {
 public:
  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method& method, ServerContext& context) override {
    base::MutexLock lock(mutex_);
    peers_[method.payload != PayloadDirection::kNone].insert(context.peer());
    return nullptr;
  }
  std::set<std::string> Of(bool bulk) const {
    base::MutexLock lock(mutex_);
    const auto it = peers_.find(bulk);
    return it == peers_.end() ? std::set<std::string>() : it->second;
  }

 private:
  mutable base::Mutex mutex_;
  std::map<bool, std::set<std::string>> peers_ ABSL_GUARDED_BY(mutex_);
};

class LanesTest : public SemanticsTest {
 protected:
  void SetUp() override {
    builder_.AddInterceptor(notes_);
    SemanticsTest::SetUp();
  }

  std::shared_ptr<Channel> MakeLanes(uint32_t count) {
    ChannelOptions options;
    options.connections_per_peer = count;
    options.initial_backoff = absl::Milliseconds(50);
    return MakeChannel(options);
  }

  static absl::Status Small(Semantics::Stub& stub) {
    ClientContext context;
    const auto writer = stub.Collect(context);
    return writer->Finish().status();
  }
  static absl::Status Bulk(Semantics::Stub& stub, bool wait_for_ready = false) {
    ClientContext context;
    context.set_wait_for_ready(wait_for_ready);
    return stub.Echo(context, Item(), Payload::FromCord(absl::Cord(std::string(100'000, 'x')))).status();
  }

  // A bulk call that is in flight until it is destroyed.
  struct Open {
    explicit Open(Semantics::Stub& stub) : stream(stub.ChatPayloads(context)) {
      EXPECT_EQ(stream->Write(Item(), Payload()), absl::OkStatus());
      EXPECT_TRUE(stream->Read().ok());
    }
    ClientContext context;
    std::unique_ptr<ClientReaderWriter<WithPayload<Item>, WithPayload<Item>>> stream;
  };

  const std::shared_ptr<PeerNotes> notes_ = std::make_shared<PeerNotes>();
};

TEST_F(LanesTest, BulkGoesApartFromCalls) {
  Semantics::Stub stub(MakeLanes(2));
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Small(stub), absl::OkStatus());
    EXPECT_EQ(Bulk(stub), absl::OkStatus());
  }
  ASSERT_EQ(notes_->Of(false).size(), 1u);
  ASSERT_EQ(notes_->Of(true).size(), 1u);
  EXPECT_NE(notes_->Of(false), notes_->Of(true));
}

TEST_F(LanesTest, OneConnectionIsForBoth) {
  Semantics::Stub stub(MakeLanes(1));
  EXPECT_EQ(Small(stub), absl::OkStatus());
  EXPECT_EQ(Bulk(stub), absl::OkStatus());
  EXPECT_EQ(notes_->Of(false), notes_->Of(true));
}

TEST_F(LanesTest, BulkCallsShareTheirLanes) {
  Semantics::Stub stub(MakeLanes(4));
  EXPECT_EQ(Bulk(stub), absl::OkStatus());
  EXPECT_EQ(Bulk(stub), absl::OkStatus());
  EXPECT_EQ(notes_->Of(true).size(), 1u) << "one after the other";
  const Open first(stub);
  const Open second(stub);
  const Open third(stub);
  EXPECT_EQ(notes_->Of(true).size(), 3u) << "at once";
  const Open fourth(stub);
  EXPECT_EQ(notes_->Of(true).size(), 3u);
  EXPECT_EQ(notes_->Of(false).size(), 0u) << "nothing has needed the lane of calls";
}

TEST_F(LanesTest, TheChannelsLimitsAndItsEndHoldForAllLanes) {
  ChannelOptions options;
  options.connections_per_peer = 3;
  options.max_concurrent_calls = 2;
  auto channel = MakeChannel(options);
  auto stub = std::make_unique<Semantics::Stub>(channel);
  const Open first(*stub);
  const Open second(*stub);
  EXPECT_EQ(Small(*stub).code(), absl::StatusCode::kResourceExhausted);
  stub.reset();
  channel.reset();
  EXPECT_EQ(first.stream->Finish().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(second.stream->Finish().code(), absl::StatusCode::kCancelled);
}

TEST_F(LanesTest, AllOfThemConnectWhenTheChannelIsAskedTo) {
  const auto channel = MakeLanes(3);
  EXPECT_EQ(channel->GetState(false), ConnectivityState::kIdle);
  EXPECT_TRUE(channel->WaitForConnected(absl::Now() + absl::Seconds(30)));
  Semantics::Stub stub(channel);
  server_->Shutdown(absl::Now());
  while (Bulk(stub).ok()) continue;
  while (Small(stub).ok()) continue;
  ConnectivityState state = channel->GetState(false);
  while (state == ConnectivityState::kReady) {
    channel->WaitForStateChange(state, absl::InfiniteFuture());
    state = channel->GetState(false);
  }
}

class FewConnectionsTest : public LanesTest {
 protected:
  void SetUp() override {
    builder_.SetMaxConnections(1);
    LanesTest::SetUp();
  }
};

TEST_F(FewConnectionsTest, WhenBulkGetsNoLaneItsCallsTakeThatOfCalls) {
  Semantics::Stub stub(MakeLanes(2));
  EXPECT_EQ(Small(stub), absl::OkStatus());
  while (!Bulk(stub).ok()) continue;  // ends when the lane of bulk has been refused
  EXPECT_EQ(notes_->Of(true), notes_->Of(false));
  EXPECT_EQ(notes_->Of(true).size(), 1u);
}

TEST(LanesOptionTest, NoneOrTooMany) {
  for (const uint32_t count : {0, 65}) {
    ChannelOptions options;
    options.connections_per_peer = count;
    Semantics::Stub stub(CreateCustomChannel("ipv4:127.0.0.1:1", pagewire::testing::TestChannelCredentials(), options));
    ClientContext context;
    const absl::Status status = stub.Echo(context, Item(), Payload()).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("must be 1 to 64"));
  }
}

}  // namespace
}  // namespace pagewire::semantics
