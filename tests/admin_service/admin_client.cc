#include "admin_service/admin_client.h"

#include <utility>

namespace pagewire::admin_service {
namespace {

// A loop that did not get its turn in time, as on a busy machine, has its connections left out: such an answer is asked
// for again.
template <typename Response>
bool Unanswered(const Response& response) {
  if constexpr (requires { response.unanswered_size(); }) return response.unanswered_size() > 0;
  return false;
}

// Follows `next` until there is none.
template <typename Entry, typename Request, typename Ask, typename Entries>
std::vector<Entry> ReadAll(Request request, Ask ask, Entries entries) {
  std::vector<Entry> all;
  for (;;) {
    ClientContext context;
    auto response = ask(context, request);
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return all;
    if (Unanswered(*response)) continue;
    for (const Entry& entry : entries(*response)) all.push_back(entry);
    if (!response->has_next()) return all;
    EXPECT_GT(entries(*response).size(), 0) << "a page without entries has no next";
    *request.mutable_page()->mutable_after() = response->next();
  }
}

}  // namespace

AdminClient::AdminClient() {
  ServerBuilder builder;
  builder.RegisterInlineService(service_.service());
  absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
  EXPECT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  stub_ = std::make_unique<admin::v1::Admin::Stub>(CreateInProcessChannel(*server_));
}

std::vector<Connection> AdminClient::Connections(uint32_t limit) {
  admin::v1::ListConnectionsRequest request;
  request.mutable_page()->set_limit(limit);
  return ReadAll<Connection>(
      request, [this](ClientContext& context, const auto& asked) { return stub_->ListConnections(context, asked); },
      [](const auto& response) { return response.connections(); });
}

std::vector<Call> AdminClient::Calls(admin::v1::ListCallsRequest request) {
  return ReadAll<Call>(
      std::move(request),
      [this](ClientContext& context, const auto& asked) { return stub_->ListCalls(context, asked); },
      [](const auto& response) { return response.calls(); });
}

std::vector<Transfer> AdminClient::Transfers(admin::v1::ListTransfersRequest request) {
  return ReadAll<Transfer>(
      std::move(request),
      [this](ClientContext& context, const auto& asked) { return stub_->ListTransfers(context, asked); },
      [](const auto& response) { return response.transfers(); });
}

std::vector<Budget> AdminClient::Budgets(uint32_t limit) {
  admin::v1::ListBudgetsRequest request;
  request.mutable_page()->set_limit(limit);
  return ReadAll<Budget>(
      request, [this](ClientContext& context, const auto& asked) { return stub_->ListBudgets(context, asked); },
      [](const auto& response) { return response.budgets(); });
}

std::vector<Holder> AdminClient::Holders(admin::v1::ListHoldersRequest request) {
  return ReadAll<Holder>(
      std::move(request),
      [this](ClientContext& context, const auto& asked) { return stub_->ListHolders(context, asked); },
      [](const auto& response) { return response.holders(); });
}

admin::v1::Memory AdminClient::Memory() {
  ClientContext context;
  const auto response = stub_->ListBudgets(context, {});
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? response->memory() : admin::v1::Memory();
}

std::vector<Call> AdminClient::CallsOf(std::string_view method, admin::v1::Side side) {
  std::vector<Call> calls = Calls();
  std::erase_if(calls, [&](const Call& call) { return call.method() != MethodName(method) || call.side() != side; });
  return calls;
}

std::vector<Holder> AdminClient::HoldersOf(std::string_view method) {
  std::vector<Holder> holders = Holders();
  std::erase_if(holders, [&](const Holder& holder) { return holder.label() != MethodName(method); });
  return holders;
}

std::string MethodName(std::string_view method) { return "/pagewire.test.Blob/" + std::string(method); }

void AdminTest::Serve(uint64_t held_budget_bytes, ChannelOptions options) {
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port_).RegisterService(&service_);
  builder.SetSendPath(SendPath::kCopy).SetReceivePath(ReceivePath::kCopy);
  if (held_budget_bytes != 0) builder.SetHeldBudgetBytes(held_budget_bytes);
  absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  options.send_path = SendPath::kCopy;
  options.receive_path = ReceivePath::kCopy;
  channel_ = CreateCustomChannel(target(), InsecureChannelCredentials(), options);
  stub_ = std::make_unique<test::Blob::Stub>(channel_);
}

void AdminTest::ListenNowhere() {
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port_);
  ASSERT_TRUE(builder.BuildAndStart().ok());
}

ChannelOptions AdminTest::RetriesInAnHour() {
  ChannelOptions options;
  options.initial_backoff = options.max_backoff = absl::Hours(1);
  options.service_config = R"({"methodConfig": [{"name": [{"service": "pagewire.test.Blob"}], "retryPolicy": {
    "maxAttempts": 3, "initialBackoff": "3600s", "maxBackoff": "3600s", "backoffMultiplier": 1,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
  return options;
}

Connection AdminTest::ConnectionOf(admin::v1::Side side) {
  for (const Connection& connection : admin_.Connections()) {
    const std::string& end = side == admin::v1::SIDE_SERVER ? connection.local() : connection.peer();
    if (connection.side() == side && end == target()) return connection;
  }
  return {};
}

}  // namespace pagewire::admin_service
