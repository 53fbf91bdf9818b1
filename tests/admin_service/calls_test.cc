// Calls in progress, as an operator sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "admin_service/admin_client.h"
#include "admin_service/deaf_service.h"
#include "base/latch.h"

namespace pagewire::admin_service {
namespace {

using test::BlobReply;
using test::BlobRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr admin::v1::Side kServer = admin::v1::SIDE_SERVER;
constexpr admin::v1::Side kClient = admin::v1::SIDE_CLIENT;

// A handler that does not come back before it is released.
BlobRequest Blocks() {
  BlobRequest request;
  request.set_sleep_ms(10 * 60 * 1000);
  return request;
}

class CallsTest : public AdminTest {
 protected:
  struct Started {
    ClientContext context;
    testing::Latch ended;
    absl::Status status;
  };

  std::shared_ptr<Started> StartEcho(const BlobRequest& request, absl::Duration timeout = absl::InfiniteDuration()) {
    auto call = std::make_shared<Started>();
    if (timeout != absl::InfiniteDuration()) call->context.set_timeout(timeout);
    stub_->Callback().Echo(call->context, request, [call](absl::StatusOr<BlobReply> reply) {
      call->status = reply.status();
      call->ended.CountDown();
    });
    return call;
  }

  void AwaitCalls(size_t count, admin::v1::Call::Phase phase, admin::v1::Side side) {
    Await([&] {
      const std::vector<Call> calls = admin_.CallsOf("Echo", side);
      return calls.size() == count &&
             std::all_of(calls.begin(), calls.end(), [&](const Call& call) { return call.phase() == phase; });
    });
  }
};

TEST_F(CallsTest, ABlockedHandlerIsSeenAtBothEnds) {
  Serve();
  const auto started = StartEcho(Blocks(), absl::Hours(1));
  AwaitCalls(1, Call::PHASE_RUNNING, kServer);
  const std::vector<Call> at_server = admin_.CallsOf("Echo", kServer);
  const std::vector<Call> at_client = admin_.CallsOf("Echo", kClient);
  ASSERT_EQ(at_server.size(), 1u);
  ASSERT_EQ(at_client.size(), 1u);
  EXPECT_EQ(at_client[0].phase(), Call::PHASE_SENT);
  EXPECT_EQ(at_client[0].id(), at_server[0].id());
  EXPECT_EQ(at_client[0].attempt(), 1u);
  EXPECT_EQ(at_client[0].peer(), target());
  EXPECT_EQ(at_server[0].peer(), ConnectionOf(kClient).local());
  EXPECT_EQ(at_client[0].connection(), ConnectionOf(kClient).id());
  EXPECT_EQ(at_server[0].connection(), ConnectionOf(kServer).id());
  for (const Call& call : {at_server[0], at_client[0]}) {
    EXPECT_GT(call.left_ms(), 30 * 60 * 1000);
    EXPECT_LE(call.left_ms(), 60 * 60 * 1000);
    EXPECT_LT(call.age_ms(), 30u * 60 * 1000);
  }
  // A message below 64 bytes counts as 64.
  EXPECT_EQ(at_client[0].sent_bytes(), 64u);
  EXPECT_EQ(at_server[0].received_bytes(), 64u);
  EXPECT_EQ(at_client[0].received_bytes() + at_server[0].sent_bytes(), 0u);
  // It gets older, and one can ask for the old ones.
  admin::v1::ListCallsRequest old;
  old.set_connection(at_server[0].connection());
  old.set_min_age_ms(at_server[0].age_ms() + 50);
  Await([&] { return admin_.Calls(old).size() == 1; });
  EXPECT_GE(admin_.Calls(old)[0].age_ms(), old.min_age_ms());
  old.set_min_age_ms(~uint64_t{0});
  EXPECT_THAT(admin_.Calls(old), IsEmpty());

  service_.Release();
  started->ended.Wait();
  EXPECT_EQ(started->status, absl::OkStatus());
  AwaitCalls(0, Call::PHASE_RUNNING, kServer);
  AwaitCalls(0, Call::PHASE_SENT, kClient);
}

TEST_F(CallsTest, AClientThatGaveUpIsNotTheEndOfTheHandler) {
  DeafService deaf;
  ServerBuilder builder;
  builder.RegisterService(&deaf);
  const auto server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  stub_ = std::make_unique<test::Blob::Stub>(CreateInProcessChannel(**server));
  const auto started = StartEcho(BlobRequest());
  AwaitCalls(1, Call::PHASE_RUNNING, kServer);
  started->context.TryCancel();
  started->ended.Wait();
  AwaitCalls(1, Call::PHASE_ENDED, kServer);
  EXPECT_THAT(admin_.CallsOf("Echo", kClient), IsEmpty());
  deaf.released.CountDown();
  AwaitCalls(0, Call::PHASE_ENDED, kServer);
}

TEST_F(CallsTest, AConnectionThatIsGoneIsNotTheEndOfTheHandler) {
  DeafService deaf;
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port_).RegisterService(&deaf);
  const auto server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  stub_ = std::make_unique<test::Blob::Stub>(CreateChannel(target(), InsecureChannelCredentials()));
  const auto started = StartEcho(BlobRequest());
  deaf.started.Wait();
  AwaitCalls(1, Call::PHASE_RUNNING, kServer);
  const Connection open = ConnectionOf(kServer);
  const Call running = admin_.CallsOf("Echo", kServer).at(0);
  stub_.reset();
  started->ended.Wait();
  AwaitCalls(1, Call::PHASE_ENDED, kServer);
  const auto closed = [&] {
    std::vector<Connection> connections = admin_.Connections();
    std::erase_if(connections, [&](const Connection& connection) { return connection.id() != open.id(); });
    return connections;
  };
  Await([&] { return closed().at(0).state() == Connection::STATE_CLOSED; });
  EXPECT_EQ(closed()[0].peer(), open.peer());
  EXPECT_EQ(closed()[0].calls_open(), 1u);
  EXPECT_FALSE(closed()[0].has_idle_ms());
  const Call call = admin_.CallsOf("Echo", kServer).at(0);
  EXPECT_EQ(call.phase(), Call::PHASE_ENDED);
  EXPECT_EQ(call.connection(), open.id());
  EXPECT_EQ(call.id(), running.id());
  EXPECT_EQ(call.peer(), running.peer());
  EXPECT_GE(call.age_ms(), running.age_ms());
  deaf.released.CountDown();
  Await([&] { return closed().empty(); });
  EXPECT_THAT(admin_.CallsOf("Echo", kServer), IsEmpty());
}

TEST_F(CallsTest, PagesFollowEachOtherWithoutGaps) {
  Serve();
  std::vector<std::shared_ptr<Started>> started;
  for (int i = 0; i < 7; ++i) started.push_back(StartEcho(Blocks()));
  AwaitCalls(7, Call::PHASE_RUNNING, kServer);
  admin::v1::ListCallsRequest request;
  request.set_connection(ConnectionOf(kServer).id());
  request.mutable_page()->set_limit(3);
  std::vector<int> sizes;
  std::vector<uint64_t> ids;
  for (bool more = true; more;) {
    ClientContext context;
    const auto response = admin_.stub().ListCalls(context, request);
    ASSERT_TRUE(response.ok()) << response.status();
    sizes.push_back(response->calls_size());
    for (const Call& call : response->calls()) ids.push_back(call.id());
    more = response->has_next();
    *request.mutable_page()->mutable_after() = response->next();
    if (sizes.size() == 1) {
      // What has been shown and is gone does not move the rest.
      started[0]->context.TryCancel();
      started[0]->ended.Wait();
    }
  }
  EXPECT_THAT(sizes, ElementsAre(3, 3, 1));
  EXPECT_THAT(ids, ElementsAre(1, 2, 3, 4, 5, 6, 7));
  // The same over all connections.
  admin::v1::ListCallsRequest all;
  all.mutable_page()->set_limit(2);
  std::vector<std::pair<uint64_t, uint64_t>> places;
  for (const Call& call : admin_.Calls(all)) places.emplace_back(call.connection(), call.id());
  EXPECT_GE(places.size(), 12u) << "six at either side, and those that ask";
  EXPECT_TRUE(std::is_sorted(places.begin(), places.end()));
  EXPECT_EQ(std::adjacent_find(places.begin(), places.end()), places.end());
  service_.Release();
  for (const auto& call : started) call->ended.Wait();
}

TEST_F(CallsTest, WaitingForAConnectionAndForTheNextAttempt) {
  ListenNowhere();
  stub_ = std::make_unique<test::Blob::Stub>(
      CreateCustomChannel(target(), InsecureChannelCredentials(), RetriesInAnHour()));
  const auto retries = StartEcho(BlobRequest());
  AwaitCalls(1, Call::PHASE_WAITING_TO_RETRY, kClient);
  EXPECT_EQ(admin_.CallsOf("Echo", kClient)[0].attempt(), 1u);

  const auto waits = std::make_shared<Started>();
  waits->context.set_wait_for_ready(true);
  stub_->Callback().Get(waits->context, BlobRequest(), [waits](auto reply) {
    waits->status = reply.status();
    waits->ended.CountDown();
  });
  Await([&] { return !admin_.CallsOf("Get", kClient).empty(); });
  EXPECT_EQ(admin_.CallsOf("Get", kClient)[0].phase(), Call::PHASE_WAITING_FOR_CONNECTION);

  // Its lane says why.
  std::vector<Connection> failing = admin_.Connections();
  std::erase_if(failing, [](const Connection& c) { return c.state() != Connection::STATE_TRANSIENT_FAILURE; });
  ASSERT_EQ(failing.size(), 1u);
  EXPECT_EQ(failing[0].target(), target());
  EXPECT_THAT(failing[0].failure(), HasSubstr("Connection refused"));
  EXPECT_EQ(failing[0].calls_waiting(), 1u);
  EXPECT_EQ(admin_.CallsOf("Get", kClient)[0].connection(), failing[0].id());

  retries->context.TryCancel();
  waits->context.TryCancel();
  retries->ended.Wait();
  waits->ended.Wait();
  AwaitCalls(0, Call::PHASE_WAITING_TO_RETRY, kClient);
  EXPECT_THAT(admin_.CallsOf("Get", kClient), IsEmpty());
  stub_.reset();
  Await([&] {
    const std::vector<Connection> connections = admin_.Connections();
    return std::none_of(connections.begin(), connections.end(),
                        [&](const Connection& c) { return c.id() == failing[0].id(); });
  });
}

}  // namespace
}  // namespace pagewire::admin_service
