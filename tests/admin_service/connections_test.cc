// Connections, as an operator sees them, and who may be one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/authorizer.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "admin_service/admin_client.h"
#include "base/latch.h"
#include "base/mutex.h"
#include "security/secure_server.h"

namespace pagewire::admin_service {
namespace {

using test::BlobReply;
using test::BlobRequest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class ConnectionsTest : public AdminTest {
 protected:
  absl::Status Echo() {
    ClientContext context;
    return stub_->Echo(context, BlobRequest()).status();
  }

  // Those of the process to an address.
  std::vector<Connection> ConnectionsTo(const std::string& address, admin::v1::Side side) {
    std::vector<Connection> connections = admin_.Connections();
    std::erase_if(connections, [&](const Connection& connection) {
      return connection.side() != side ||
             (side == admin::v1::SIDE_SERVER ? connection.local() : connection.peer()) != address;
    });
    return connections;
  }
};

TEST_F(ConnectionsTest, BothEndsOfAnIdleOne) {
  Serve();
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Echo(), absl::OkStatus());
  Await([&] { return ConnectionOf(admin::v1::SIDE_SERVER).has_idle_ms(); });
  const Connection client = ConnectionOf(admin::v1::SIDE_CLIENT);
  const Connection server = ConnectionOf(admin::v1::SIDE_SERVER);
  ASSERT_NE(client.id(), 0u);
  ASSERT_NE(server.id(), 0u);
  EXPECT_EQ(client.target(), target());
  EXPECT_EQ(client.local(), server.peer());
  EXPECT_NE(client.owner(), server.owner());
  for (const Connection& connection : {client, server}) {
    EXPECT_EQ(connection.state(), Connection::STATE_READY);
    EXPECT_EQ(connection.calls_begun(), 3u);
    EXPECT_EQ(connection.calls_open(), 0u);
    EXPECT_TRUE(connection.same_host());
    EXPECT_FALSE(connection.identity().encrypted());
    EXPECT_EQ(connection.negotiated().encryption(), "");
    EXPECT_EQ(connection.negotiated().send_path(), "copy");
    EXPECT_EQ(connection.negotiated().peer_window(), 2u << 20);
    EXPECT_EQ(connection.allowance().window_limit(), 2u << 20);
    EXPECT_EQ(connection.allowance().window_in_flight(), 0u);
    EXPECT_GT(connection.allowance().send_credit(), 0u);
    EXPECT_LE(connection.idle_ms(), connection.age_ms() + 10);
  }
  // What one has sent the other has received, but for what is on its way.
  EXPECT_EQ(client.sent().bytes(), server.received().bytes());
  EXPECT_EQ(server.sent().bytes(), client.received().bytes());
  EXPECT_GT(client.sent().bytes(), 3u * 24);
}

TEST_F(ConnectionsTest, OneThatIsGoneIsNotShown) {
  Serve();
  ASSERT_EQ(Echo(), absl::OkStatus());
  const uint64_t server_id = ConnectionOf(admin::v1::SIDE_SERVER).id();
  ASSERT_NE(server_id, 0u);
  stub_.reset();
  channel_.reset();
  Await(
      [&] { return ConnectionOf(admin::v1::SIDE_SERVER).id() == 0 && ConnectionOf(admin::v1::SIDE_CLIENT).id() == 0; });
  channel_ = CreateChannel(target(), InsecureChannelCredentials());
  stub_ = std::make_unique<test::Blob::Stub>(channel_);
  ASSERT_EQ(Echo(), absl::OkStatus());
  EXPECT_GT(ConnectionOf(admin::v1::SIDE_SERVER).id(), server_id) << "ids are not used again";
}

TEST_F(ConnectionsTest, ADrainingOneSaysSo) {
  Serve();
  ClientContext context;
  testing::Latch ended;
  BlobRequest blocks;
  blocks.set_sleep_ms(10 * 60 * 1000);
  stub_->Callback().Echo(context, blocks, [&](absl::StatusOr<BlobReply>) { ended.CountDown(); });
  Await([&] { return ConnectionOf(admin::v1::SIDE_SERVER).calls_open() == 1; });
  EXPECT_FALSE(ConnectionOf(admin::v1::SIDE_SERVER).has_idle_ms());
  std::thread shutdown([&] { server_->Shutdown(absl::InfiniteFuture()); });
  for (const auto side : {admin::v1::SIDE_SERVER, admin::v1::SIDE_CLIENT}) {
    Await([&] { return ConnectionOf(side).state() == Connection::STATE_DRAINING; });
    EXPECT_EQ(ConnectionOf(side).failure(), "the server is shutting down");
  }
  service_.Release();
  ended.Wait();
  shutdown.join();
}

TEST_F(ConnectionsTest, WhoThePeerIs) {
  testing::SecureServer secure({}, /*mutual=*/true);
  const auto call = [](std::shared_ptr<Channel> channel) {
    auto stub = std::make_unique<test::Blob::Stub>(std::move(channel));
    ClientContext context;
    EXPECT_EQ(stub->Echo(context, BlobRequest()).status(), absl::OkStatus());
    return stub;
  };
  const auto tls = call(CreateChannel(
      secure.tls_target(), secure.Credentials({.common_name = "a name", .names = {"DNS:a.test", "URI:spiffe://t/a"}})));
  const std::vector<Connection> over_tls = ConnectionsTo(secure.tls_target(), admin::v1::SIDE_SERVER);
  ASSERT_THAT(over_tls, SizeIs(1));
  EXPECT_TRUE(over_tls[0].identity().encrypted());
  EXPECT_EQ(over_tls[0].identity().common_name(), "a name");
  EXPECT_THAT(over_tls[0].identity().dns_names(), ElementsAre("a.test"));
  EXPECT_THAT(over_tls[0].identity().uris(), ElementsAre("spiffe://t/a"));
  EXPECT_THAT(over_tls[0].identity().certificate_fingerprint(), SizeIs(64));
  EXPECT_THAT(over_tls[0].negotiated().encryption(), StartsWith("TLSv1.3 TLS_"));
  EXPECT_EQ(over_tls[0].negotiated().not_possible_because(), "tls");
  EXPECT_TRUE(ConnectionsTo(secure.tls_target(), admin::v1::SIDE_CLIENT).at(0).identity().encrypted());

  const auto by_socket = call(CreateChannel(secure.unix_target(), InsecureChannelCredentials()));
  const std::vector<Connection> over_unix = ConnectionsTo(secure.unix_target(), admin::v1::SIDE_SERVER);
  ASSERT_THAT(over_unix, SizeIs(1));
  EXPECT_EQ(over_unix[0].identity().process().pid(), getpid());
  EXPECT_EQ(over_unix[0].identity().process().uid(), getuid());
  EXPECT_FALSE(over_unix[0].identity().encrypted());
}

TEST_F(ConnectionsTest, PagesFollowEachOtherWithoutGaps) {
  Serve();
  std::vector<std::unique_ptr<test::Blob::Stub>> stubs;
  for (int i = 0; i < 5; ++i) {
    stubs.push_back(std::make_unique<test::Blob::Stub>(CreateChannel(target(), InsecureChannelCredentials())));
    ClientContext context;
    ASSERT_EQ(stubs.back()->Echo(context, BlobRequest()).status(), absl::OkStatus());
  }
  std::vector<uint64_t> in_pages;
  for (const Connection& connection : admin_.Connections(3)) in_pages.push_back(connection.id());
  std::vector<uint64_t> at_once;
  for (const Connection& connection : admin_.Connections()) at_once.push_back(connection.id());
  EXPECT_EQ(in_pages, at_once);
  EXPECT_TRUE(std::is_sorted(in_pages.begin(), in_pages.end()));
  EXPECT_THAT(ConnectionsTo(target(), admin::v1::SIDE_SERVER), SizeIs(5));
}

// Takes calls and answers none of them; no thread waits.
class Unanswering final : public test::Blob::CallbackService {
  void Echo(ServerContext&, const BlobRequest&, absl::AnyInvocable<void(absl::StatusOr<BlobReply>)> done) override {
    base::MutexLock lock(mutex_);
    waiting_.push_back(std::move(done));
  }

 public:
  ~Unanswering() override {
    base::MutexLock lock(mutex_);
    EXPECT_THAT(waiting_, IsEmpty());
  }
  size_t waiting() {
    base::MutexLock lock(mutex_);
    return waiting_.size();
  }
  void AnswerAll() {
    decltype(waiting_) waiting;
    {
      base::MutexLock lock(mutex_);
      waiting.swap(waiting_);
    }
    for (auto& done : waiting) done(BlobReply());
  }

 private:
  base::Mutex mutex_;
  std::vector<absl::AnyInvocable<void(absl::StatusOr<BlobReply>)>> waiting_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(ConnectionsTest, AnAnswerHasAtMostAThousandEntries) {
  constexpr int kCalls = 1100;
  Unanswering unanswering;
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port_).RegisterService(&unanswering);
  const auto server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  stub_ = std::make_unique<test::Blob::Stub>(CreateChannel(target(), InsecureChannelCredentials()));
  std::vector<std::unique_ptr<ClientContext>> contexts;
  testing::Latch ended(kCalls);
  for (int i = 0; i < kCalls; ++i) {
    contexts.push_back(std::make_unique<ClientContext>());
    stub_->Callback().Echo(*contexts.back(), BlobRequest(), [&](absl::StatusOr<BlobReply>) { ended.CountDown(); });
  }
  Await([&] { return unanswering.waiting() == kCalls; });
  admin::v1::ListCallsRequest request;
  request.mutable_page()->set_limit(1'000'000);
  Await([&] {
    request.set_connection(ConnectionOf(admin::v1::SIDE_SERVER).id());
    const std::vector<Call> calls = admin_.Calls(request);
    return calls.size() == kCalls && std::all_of(calls.begin(), calls.end(),
                                                 [](const Call& call) { return call.phase() == Call::PHASE_RUNNING; });
  });
  const auto ask_once = [&] {
    for (;;) {
      ClientContext context;
      const auto response = admin_.stub().ListCalls(context, request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok() || response->unanswered_size() == 0) return *response;
    }
  };
  const admin::v1::ListCallsResponse most = ask_once();
  EXPECT_EQ(most.calls_size(), 1000);
  EXPECT_EQ(most.next().sub(), 1000u);
  request.mutable_page()->set_limit(0);
  EXPECT_EQ(ask_once().calls_size(), 100);
  unanswering.AnswerAll();
  ended.Wait();
}

// docs/security.md: who may know what the process says of itself.
class AdminAuthorizerTest : public ::testing::Test {};

TEST_F(AdminAuthorizerTest, StrangersAreRefusedAndOperatorsLetIn) {
  const std::string uid = std::to_string(getuid());
  const std::string path = testing::WriteFile(R"({"name": "ops", "allow_rules": [
      {"name": "everybody calls", "request": {"paths": ["/pagewire.test.Blob/*"]}},
      {"name": "operators ask", "source": {"principals": ["uid:)" +
                                              uid + R"("]}, "request": {"paths": ["/pagewire.admin.v1.Admin/*"]}}]})");
  auto policy = PolicyFileAuthorizer(path);
  ASSERT_TRUE(policy.ok()) << policy.status();
  AdminService admin;
  test::BlobService blob;
  int port = 0;
  const std::string unix_address = "unix:" + testing::WriteFile("") + ".socket";
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port);
  builder.AddListeningPort(unix_address, InsecureServerCredentials());
  builder.RegisterService(&blob).RegisterInlineService(admin.service()).AddInterceptor(*policy);
  const auto server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  const auto stranger = CreateChannel("ipv4:127.0.0.1:" + std::to_string(port), InsecureChannelCredentials());
  const auto friendly = CreateChannel(unix_address, InsecureChannelCredentials());
  const auto ask_all = [](const std::shared_ptr<Channel>& channel) {
    admin::v1::Admin::Stub stub(channel);
    ClientContext contexts[5];
    return std::vector<absl::Status>{
        stub.ListConnections(contexts[0], {}).status(), stub.ListCalls(contexts[1], {}).status(),
        stub.ListTransfers(contexts[2], {}).status(), stub.ListBudgets(contexts[3], {}).status(),
        stub.ListHolders(contexts[4], {}).status()};
  };
  for (const absl::Status& status : ask_all(stranger)) {
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  }
  for (const absl::Status& status : ask_all(friendly)) EXPECT_EQ(status, absl::OkStatus());
  test::Blob::Stub blob_stub(stranger);
  ClientContext context;
  EXPECT_EQ(blob_stub.Echo(context, BlobRequest()).status(), absl::OkStatus());
}

TEST_F(AdminAuthorizerTest, SecretsAreNotShown) {
  AdminClient admin;
  test::BlobService blob;
  ServerBuilder builder;
  builder.RegisterService(&blob);
  const auto server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  test::Blob::Stub stub(CreateInProcessChannel(**server));
  ClientContext context;
  context.AddMetadata("authorization", "Bearer of-good-news");
  BlobRequest request;
  request.set_name("of-good-news");
  request.set_sleep_ms(10 * 60 * 1000);
  testing::Latch ended;
  stub.Callback().Keep(context, request, Payload::FromCord(absl::Cord("of-good-news")),
                       [&](absl::StatusOr<BlobReply>) { ended.CountDown(); });
  Await([&] { return admin.CallsOf("Keep", admin::v1::SIDE_SERVER).size() == 1; });
  Await([&] { return admin.HoldersOf("Keep").size() == 1; });
  std::string all;
  for (const auto& entry : admin.Connections()) all += entry.DebugString();
  for (const auto& entry : admin.Calls()) all += entry.DebugString();
  for (const auto& entry : admin.Transfers()) all += entry.DebugString();
  for (const auto& entry : admin.Budgets()) all += entry.DebugString();
  for (const auto& entry : admin.Holders()) all += entry.DebugString();
  EXPECT_THAT(all, ::testing::HasSubstr("/pagewire.test.Blob/Keep"));
  EXPECT_THAT(all, ::testing::Not(::testing::HasSubstr("of-good-news")));
  context.TryCancel();
  ended.Wait();
}

}  // namespace
}  // namespace pagewire::admin_service
