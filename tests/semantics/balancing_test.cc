// Several servers behind one name: who gets the calls, and what becomes of them when servers come and go.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/pagewire.h>
#include <pagewire/resolver.h>

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/latch.h"
#include "base/mutex.h"
#include "base/own_host.h"
#include "tally.pagewire.h"
#include "tls/test_credentials.h"

namespace pagewire::test {
namespace {

using ::testing::HasSubstr;

// What the tests say the name "here:" stands for.
class Names {
 public:
  static Names& Get() {
    static Names* const names = [] {
      auto* made = new Names;
      EXPECT_EQ(RegisterResolver("here",
                                 [made](std::string_view, ResolutionCallback callback) {
                                   return absl::StatusOr<std::unique_ptr<Resolver>>(
                                       std::make_unique<Followed>(*made, std::move(callback)));
                                 }),
                absl::OkStatus());
      return made;
    }();
    return *names;
  }

  void Set(absl::StatusOr<Resolution> answer) {
    base::MutexLock lock(mutex_);
    answer_ = std::move(answer);
    for (const auto& [who, callback] : callbacks_) callback(answer_);
  }

 private:
  class Followed final : public Resolver {
   public:
    Followed(Names& names, ResolutionCallback callback) : names_(names) {
      DefaultExecutor().Run([this, callback = std::move(callback)] {
        base::MutexLock lock(names_.mutex_);
        names_.callbacks_[this] = callback;
        callback(names_.answer_);
        names_.changed_.NotifyAll();
      });
    }
    ~Followed() override {
      base::MutexLock lock(names_.mutex_);
      while (names_.callbacks_.count(this) == 0) names_.changed_.Wait(names_.mutex_);
      names_.callbacks_.erase(this);
    }
    void Refresh() override {}

   private:
    Names& names_;
  };

  base::Mutex mutex_;
  base::CondVar changed_;
  absl::StatusOr<Resolution> answer_ ABSL_GUARDED_BY(mutex_) = absl::UnavailableError("nothing is known yet");
  std::map<Resolver*, ResolutionCallback> callbacks_ ABSL_GUARDED_BY(mutex_);
};

// Answers with its number; fails as often as it is told to first.
class Numbered final : public Tally::Service {
 public:
  explicit Numbered(uint32_t number) : number_(number) {}

  absl::StatusOr<TallyReply> Read(ServerContext&, const TallyRequest&) override { return Answer(); }
  absl::StatusOr<TallyReply> Add(ServerContext&, const TallyRequest&) override { return Answer(); }
  absl::StatusOr<TallyReply> Load(ServerContext&, const TallyRequest&, Payload) override {
    while (held) absl::SleepFor(absl::Milliseconds(1));
    return Answer();
  }

  std::atomic<int> failures = 0;
  std::atomic<int> calls = 0;
  std::atomic<bool> held = false;

 private:
  absl::StatusOr<TallyReply> Answer() {
    ++calls;
    if (failures.fetch_sub(1) > 0) return absl::UnavailableError("not now");
    failures = 0;
    TallyReply reply;
    reply.set_server(number_);
    return reply;
  }
  const uint32_t number_;
};

struct Running {
  std::unique_ptr<Numbered> service;
  std::unique_ptr<Server> server;
  std::string address;
};

Running Serve(uint32_t number, int port = 0) {
  Running running;
  running.service = std::make_unique<Numbered>(number);
  ServerBuilder builder;
  int selected = 0;
  const std::string host = pagewire::testing::OwnHost() + ":";
  builder.AddListeningPort(host + std::to_string(port), pagewire::testing::TestServerCredentials(), &selected);
  builder.RegisterService(running.service.get());
  running.server = builder.BuildAndStart().value();
  running.address = "ipv4:" + host + std::to_string(selected);
  return running;
}

constexpr char kRetries[] = R"("methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 4,
    "initialBackoff": "0.01s", "maxBackoff": "0.1s", "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"]}}])";

std::string Config(const std::string& balancer, const std::string& rest = "") {
  return R"({"loadBalancingConfig": [{")" + balancer + R"(": {}}])" + (rest.empty() ? "" : ", " + rest) + "}";
}

std::shared_ptr<Channel> MakeChannel(const std::string& target, const std::string& config) {
  ChannelOptions options;
  options.service_config = config;
  options.initial_backoff = absl::Milliseconds(10);
  options.max_backoff = absl::Milliseconds(50);
  return CreateCustomChannel(target, pagewire::testing::TestChannelCredentials(), options);
}

absl::StatusOr<uint32_t> Read(Tally::Stub& stub) {
  ClientContext context;
  context.set_timeout(absl::Seconds(20));
  const absl::StatusOr<TallyReply> reply = stub.Read(context, TallyRequest());
  if (!reply.ok()) return reply.status();
  return reply->server();
}

// Calls until those, and nobody else, have answered a dozen calls.
void AwaitServers(Tally::Stub& stub, const std::set<uint32_t>& expected) {
  std::set<uint32_t> seen;
  while (seen != expected) {
    seen.clear();
    for (int i = 0; i < 12; ++i) {
      const absl::StatusOr<uint32_t> server = Read(stub);
      ASSERT_TRUE(server.ok()) << server.status();
      seen.insert(*server);
    }
  }
}

class BalancingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (uint32_t i = 0; i < 3; ++i) servers_.push_back(Serve(i));
    Names::Get().Set(Resolution{All(), std::nullopt});
  }
  std::vector<std::string> All() const {
    std::vector<std::string> all;
    for (const Running& running : servers_) all.push_back(running.address);
    return all;
  }
  std::vector<Running> servers_;
};

TEST_F(BalancingTest, RoundRobinTakesTurns) {
  Tally::Stub stub(MakeChannel("here:all", Config("round_robin")));
  AwaitServers(stub, {0, 1, 2});
  std::map<uint32_t, int> counts;
  for (int i = 0; i < 30; ++i) ++counts[Read(stub).value()];
  EXPECT_EQ(counts, (std::map<uint32_t, int>{{0, 10}, {1, 10}, {2, 10}}));
}

TEST_F(BalancingTest, AddressesInTheTargetAreBalancedToo) {
  std::string target = "ipv4:";
  for (const Running& running : servers_) {
    target += (running.address == servers_.front().address ? "" : ",") + running.address.substr(5);
  }
  Tally::Stub stub(MakeChannel(target, Config("round_robin")));
  AwaitServers(stub, {0, 1, 2});
}

TEST_F(BalancingTest, PickFirstStaysWithOne) {
  Tally::Stub stub(MakeChannel("here:all", ""));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Read(stub).value(), 0u);
}

TEST_F(BalancingTest, LeastLoadedAvoidsTheBusyOne) {
  Tally::Stub stub(MakeChannel("here:all", Config("least_loaded")));
  AwaitServers(stub, {0, 1, 2});
  for (Running& running : servers_) running.service->held = true;
  // One large payload for one of them, which keeps it.
  testing::Latch done;
  ClientContext context;
  uint32_t busy = 99;
  stub.Callback().Load(context, TallyRequest(), Payload::FromCord(absl::Cord(std::string(1 << 20, 'x'))),
                       [&](absl::StatusOr<TallyReply> reply) {
                         busy = reply.ok() ? reply->server() : 98;
                         done.CountDown();
                       });
  std::set<uint32_t> others;
  for (int i = 0; i < 12; ++i) others.insert(Read(stub).value());
  EXPECT_EQ(others.size(), 2u);
  for (Running& running : servers_) running.service->held = false;
  done.Wait();
  EXPECT_EQ(others.count(busy), 0u);
}

TEST_F(BalancingTest, ServersThatComeAndGoAreFollowed) {
  Names::Get().Set(Resolution{{servers_[0].address}, std::nullopt});
  Tally::Stub stub(MakeChannel("here:all", Config("round_robin")));
  AwaitServers(stub, {0});
  Names::Get().Set(Resolution{All(), std::nullopt});
  AwaitServers(stub, {0, 1, 2});
  Names::Get().Set(Resolution{{servers_[2].address, servers_[1].address}, std::nullopt});
  AwaitServers(stub, {1, 2});
  Names::Get().Set(absl::UnavailableError("the resolver has trouble"));
  AwaitServers(stub, {1, 2});
}

TEST_F(BalancingTest, CallsOfAServerThatLeavesAreNotDisturbed) {
  Tally::Stub stub(MakeChannel("here:all", Config("round_robin")));
  AwaitServers(stub, {0, 1, 2});
  for (Running& running : servers_) running.service->held = true;
  std::atomic<int> ok = 0;
  testing::Latch done(3);
  ClientContext contexts[3];
  for (ClientContext& context : contexts) {
    stub.Callback().Load(context, TallyRequest(), Payload(), [&](absl::StatusOr<TallyReply> reply) {
      ok += reply.ok();
      done.CountDown();
    });
  }
  Names::Get().Set(Resolution{{servers_[0].address}, std::nullopt});
  AwaitServers(stub, {0});
  for (Running& running : servers_) running.service->held = false;
  done.Wait();
  EXPECT_EQ(ok, 3);
}

TEST_F(BalancingTest, AResolverMayBringTheConfig) {
  Names::Get().Set(Resolution{All(), Config("round_robin")});
  Tally::Stub stub(MakeChannel("here:all", ""));
  AwaitServers(stub, {0, 1, 2});
  Names::Get().Set(Resolution{All(), "nonsense"});  // which is logged
  AwaitServers(stub, {0, 1, 2});
  Names::Get().Set(Resolution{All(), "{}"});
  AwaitServers(stub, {0});
}

TEST_F(BalancingTest, NothingKnownYetIsWaitedForOrAnError) {
  Names::Get().Set(absl::UnavailableError("nothing is known yet"));
  Tally::Stub stub(MakeChannel("here:all", Config("round_robin")));
  const absl::Status status = Read(stub).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("no connection to here:all: nothing is known yet"));
  ClientContext context;
  context.set_wait_for_ready(true);
  testing::Latch done;
  absl::StatusOr<TallyReply> waited;
  stub.Callback().Read(context, TallyRequest(), [&](absl::StatusOr<TallyReply> reply) {
    waited = std::move(reply);
    done.CountDown();
  });
  Names::Get().Set(Resolution{All(), std::nullopt});
  done.Wait();
  EXPECT_TRUE(waited.ok()) << waited.status();
}

TEST_F(BalancingTest, AServerThatIsGoneCostsNoCallThatCanGoElsewhere) {
  Tally::Stub stub(MakeChannel("here:all", Config("round_robin")));
  AwaitServers(stub, {0, 1, 2});
  servers_[1].server->Shutdown();  // graceful: what it refuses was not started
  for (int i = 0; i < 30; ++i) {
    const absl::StatusOr<uint32_t> server = Read(stub);
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_NE(*server, 1u);
  }
  const int port = std::stoi(servers_[1].address.substr(servers_[1].address.rfind(':') + 1));
  servers_[1] = Serve(1, port);
  AwaitServers(stub, {0, 1, 2});
}

TEST_F(BalancingTest, AllGoneIsAnError) {
  Tally::Stub stub(MakeChannel("here:all", Config("round_robin")));
  AwaitServers(stub, {0, 1, 2});
  for (Running& running : servers_) running.server->Shutdown();
  EXPECT_EQ(Read(stub).status().code(), absl::StatusCode::kUnavailable);
}

class RetriesTest : public BalancingTest {
 protected:
  int Calls() const {
    int calls = 0;
    for (const Running& running : servers_) calls += running.service->calls;
    return calls;
  }
  void FailEach(int times) {
    for (Running& running : servers_) running.service->failures = times;
  }
};

TEST_F(RetriesTest, IdempotentMethodsAreCalledAgain) {
  Tally::Stub stub(MakeChannel(servers_[0].address, "{" + std::string(kRetries) + "}"));
  servers_[0].service->failures = 3;
  EXPECT_EQ(Read(stub).status(), absl::OkStatus());
  EXPECT_EQ(Calls(), 4);
  servers_[0].service->failures = 4;
  EXPECT_EQ(Read(stub).status(), absl::UnavailableError("not now"));
  EXPECT_EQ(Calls(), 8);
}

TEST_F(RetriesTest, OthersAreNotOnceTheyMayHaveRun) {
  Tally::Stub stub(MakeChannel(servers_[0].address, "{" + std::string(kRetries) + "}"));
  servers_[0].service->failures = 1;
  ClientContext context;
  EXPECT_EQ(stub.Add(context, TallyRequest()).status(), absl::UnavailableError("not now"));
  EXPECT_EQ(Calls(), 1);
  EXPECT_FALSE(context.not_started());
}

TEST_F(RetriesTest, OthersAreIfTheyCertainlyDidNot) {
  const std::string address = servers_[0].address;
  const int port = std::stoi(address.substr(address.rfind(':') + 1));
  servers_[0].server->Shutdown();
  servers_[0].server.reset();
  const std::string patient = R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5,
      "initialBackoff": "30s", "maxBackoff": "30s", "backoffMultiplier": 1,
      "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
  const auto channel = MakeChannel(address, patient);
  Tally::Stub stub(channel);
  ClientContext context;
  testing::Latch done;
  absl::Status status;
  stub.Callback().Add(context, TallyRequest(), [&](absl::StatusOr<TallyReply> reply) {
    status = reply.status();
    done.CountDown();
  });
  // It waits for its second attempt: cancelling ends that at once.
  while (channel->GetState(false) != ConnectivityState::kTransientFailure) absl::SleepFor(absl::Milliseconds(1));
  context.TryCancel();
  done.Wait();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);

  Tally::Stub eager(MakeChannel(address, "{" + std::string(kRetries) + "}"));
  servers_[0] = Serve(0, port);
  ClientContext another;
  EXPECT_EQ(eager.Add(another, TallyRequest()).status(), absl::OkStatus());
}

TEST_F(RetriesTest, TheEndOfTheChannelEndsAWait) {
  const std::string address = servers_[0].address;
  servers_[0].server->Shutdown();
  auto channel = MakeChannel(address, R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5,
      "initialBackoff": "300s", "maxBackoff": "300s", "backoffMultiplier": 1,
      "retryableStatusCodes": ["UNAVAILABLE"]}}]})");
  ClientContext context;
  testing::Latch done;
  absl::Status status;
  {
    Tally::Stub stub(channel);
    stub.Callback().Add(context, TallyRequest(), [&](absl::StatusOr<TallyReply> reply) {
      status = reply.status();
      done.CountDown();
    });
    while (channel->GetState(false) != ConnectivityState::kTransientFailure) absl::SleepFor(absl::Milliseconds(1));
  }
  channel.reset();
  done.Wait();
  EXPECT_EQ(status, absl::CancelledError("the channel was destroyed"));
}

TEST_F(RetriesTest, CancelledIsFinalWhateverThePolicySays) {
  Tally::Stub stub(
      MakeChannel(servers_[0].address, R"({"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5,
      "initialBackoff": "0.001s", "maxBackoff": "0.001s", "backoffMultiplier": 1,
      "retryableStatusCodes": ["CANCELLED"]}}]})"));
  servers_[0].service->held = true;
  ClientContext context;
  testing::Latch done;
  absl::Status status;
  stub.Callback().Load(context, TallyRequest(), Payload(), [&](absl::StatusOr<TallyReply> reply) {
    status = reply.status();
    done.CountDown();
  });
  context.TryCancel();
  done.Wait();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  servers_[0].service->held = false;
}

TEST_F(RetriesTest, PayloadsAreSentAgain) {
  Tally::Stub stub(MakeChannel(servers_[0].address, "{" + std::string(kRetries) + "}"));
  servers_[0].service->failures = 2;
  ClientContext context;
  EXPECT_EQ(stub.Load(context, TallyRequest(), Payload::FromCord(absl::Cord(std::string(3'000'000, 'y')))).status(),
            absl::OkStatus());
  EXPECT_EQ(Calls(), 3);
  EXPECT_EQ(context.transfer_report().sent.payload_bytes, 3'000'000u);
}

TEST_F(RetriesTest, TheBudgetEndsThem) {
  Tally::Stub stub(
      MakeChannel(servers_[0].address,
                  "{" + std::string(kRetries) + R"(, "retryThrottling": {"maxTokens": 4, "tokenRatio": 0.1}})"));
  servers_[0].service->failures = 100;
  EXPECT_FALSE(Read(stub).ok());
  EXPECT_EQ(Calls(), 2) << "after the second failure half of the tokens are gone";
  EXPECT_FALSE(Read(stub).ok());
  EXPECT_EQ(Calls(), 3);
}

TEST_F(RetriesTest, TimeoutsOfTheConfigHold) {
  Tally::Stub stub(MakeChannel(servers_[0].address, R"({"methodConfig": [{"name": [{"service": "pagewire.test.Tally",
      "method": "Load"}], "timeout": "0.05s"}]})"));
  servers_[0].service->held = true;
  ClientContext context;
  EXPECT_EQ(stub.Load(context, TallyRequest(), Payload()).status().code(), absl::StatusCode::kDeadlineExceeded);
  servers_[0].service->held = false;
}

TEST_F(RetriesTest, AWrongConfigFailsEachCall) {
  Tally::Stub stub(MakeChannel(servers_[0].address, R"({"hedging": 1})"));
  const absl::Status status = Read(stub).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ChannelOptions::service_config: service config: "));
}

}  // namespace
}  // namespace pagewire::test
