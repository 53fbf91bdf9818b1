// Payloads on their way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "admin_service/admin_client.h"
#include "base/latch.h"

namespace pagewire::admin_service {
namespace {

using test::BlobReply;
using test::BlobRequest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// More than a connection may send without asking, and more than half of the budget.
constexpr uint64_t kBudget = 16 << 20;
constexpr uint64_t kBytes = 10'000'001;

class TransfersTest : public AdminTest {
 protected:
  std::vector<Transfer> TransfersOf(const Connection& connection) {
    admin::v1::ListTransfersRequest request;
    request.set_connection(connection.id());
    return admin_.Transfers(request);
  }
};

TEST_F(TransfersTest, ARequestThatWaitsForRoomIsSeenAtBothEnds) {
  Serve(kBudget);
  ClientContext first_context;
  ASSERT_TRUE(stub_->Keep(first_context, BlobRequest(), test::MakePayload(kBytes, 1)).ok());
  ClientContext context;
  testing::Latch ended;
  absl::Status status;
  stub_->Callback().Put(context, BlobRequest(), test::MakePayload(kBytes + 7, 2), [&](absl::StatusOr<BlobReply> reply) {
    status = reply.status();
    ended.CountDown();
  });
  const Connection client = ConnectionOf(admin::v1::SIDE_CLIENT);
  const Connection server = ConnectionOf(admin::v1::SIDE_SERVER);
  Await([&] { return !TransfersOf(server).empty(); });
  const std::vector<Transfer> sent = TransfersOf(client);
  const std::vector<Transfer> received = TransfersOf(server);
  ASSERT_THAT(sent, SizeIs(1));
  ASSERT_THAT(received, SizeIs(1));
  EXPECT_TRUE(sent[0].sent());
  EXPECT_FALSE(received[0].sent());
  for (const Transfer& transfer : {sent[0], received[0]}) {
    EXPECT_EQ(transfer.phase(), Transfer::PHASE_WAITING_FOR_CREDIT);
    EXPECT_EQ(transfer.bytes(), kBytes + 7);
    EXPECT_EQ(transfer.moved_bytes(), 0u);
    EXPECT_EQ(transfer.payload(), 2u);
    EXPECT_EQ(transfer.method(), MethodName("Put"));
    EXPECT_EQ(transfer.call(), sent[0].call());
  }
  EXPECT_EQ(sent[0].send_path(), "copy");
  EXPECT_EQ(received[0].receive_path(), "copy");
  // The same in the views of calls and budgets.
  const std::vector<Call> calls = admin_.CallsOf("Put", admin::v1::SIDE_CLIENT);
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].waiting_for_credit(), kBytes + 7);
  EXPECT_EQ(admin_.CallsOf("Put", admin::v1::SIDE_SERVER)[0].phase(), Call::PHASE_RECEIVING);
  for (const Budget& budget : admin_.Budgets()) {
    if (budget.id() != server.budget()) continue;
    EXPECT_EQ(budget.waiting(), kBytes + 7);
  }

  service_.TakeKept();
  ended.Wait();
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_THAT(TransfersOf(client), IsEmpty());
  EXPECT_THAT(TransfersOf(server), IsEmpty());
}

TEST_F(TransfersTest, AResponseThatIsNotReadNamesItsMethodWhenTheHandlerIsDone) {
  ChannelOptions options;
  options.held_budget_bytes = kBudget;
  Serve(0, options);
  BlobRequest request;
  request.set_size(kBytes);
  ClientContext first_context;
  auto held = stub_->Get(first_context, request);
  ASSERT_TRUE(held.ok()) << held.status();
  ClientContext context;
  testing::Latch ended;
  absl::Status status;
  stub_->Callback().Get(context, request, [&](absl::StatusOr<WithPayload<BlobReply>> reply) {
    status = reply.status();
    ended.CountDown();
  });
  const Connection server = ConnectionOf(admin::v1::SIDE_SERVER);
  Await([&] { return !TransfersOf(server).empty() && TransfersOf(server)[0].call() == 2; });
  const std::vector<Transfer> transfers = TransfersOf(server);
  ASSERT_THAT(transfers, SizeIs(1));
  EXPECT_EQ(transfers[0].phase(), Transfer::PHASE_WAITING_FOR_CREDIT);
  EXPECT_EQ(transfers[0].method(), MethodName("Get"));
  EXPECT_EQ(transfers[0].bytes(), kBytes);
  const std::vector<Call> calls = admin_.CallsOf("Get", admin::v1::SIDE_SERVER);
  ASSERT_THAT(calls, SizeIs(1));
  EXPECT_EQ(calls[0].phase(), Call::PHASE_ANSWERED);
  EXPECT_EQ(calls[0].waiting_for_credit(), kBytes);
  const Connection busy = ConnectionOf(admin::v1::SIDE_SERVER);
  EXPECT_EQ(busy.calls_open(), 1u);
  EXPECT_FALSE(busy.has_idle_ms()) << "idle for " << busy.idle_ms() << " ms";
  held->payload = Payload();
  ended.Wait();
  EXPECT_EQ(status, absl::OkStatus());
  Await([&] { return ConnectionOf(admin::v1::SIDE_SERVER).calls_open() == 0; });
}

TEST_F(TransfersTest, MemoryThatIsReferencedNamesItsMethodWhileTheCallLasts) {
  Serve();
  for (const SendPath path : {SendPath::kSplice, SendPath::kZerocopy}) {
    ChannelOptions options;
    options.send_path = path;
    channel_ = CreateCustomChannel(target(), InsecureChannelCredentials(), options);
    stub_ = std::make_unique<test::Blob::Stub>(channel_);
    ClientContext context;
    testing::Latch ended;
    BlobRequest blocks;
    blocks.set_sleep_ms(10 * 60 * 1000);
    stub_->Callback().Put(context, blocks, test::MakePayload(kBytes, 1), [&](auto) { ended.CountDown(); });
    // The handler has the payload, and the client knows it: what is still listed is referenced only.
    Await([&] {
      const std::vector<Call> calls = admin_.CallsOf("Put", admin::v1::SIDE_SERVER);
      if (calls.size() != 1 || calls[0].phase() != Call::PHASE_RUNNING) return false;
      const std::vector<Transfer> transfers = TransfersOf(ConnectionOf(admin::v1::SIDE_CLIENT));
      for (const Transfer& transfer : transfers) {
        EXPECT_EQ(transfer.method(), MethodName("Put")) << transfer.DebugString();
        EXPECT_EQ(transfer.call(), 1u);
      }
      return std::all_of(transfers.begin(), transfers.end(),
                         [](const Transfer& transfer) { return transfer.phase() == Transfer::PHASE_REFERENCED; });
    });
    context.TryCancel();
    ended.Wait();
    stub_.reset();
    channel_.reset();
    Await([&] {
      return ConnectionOf(admin::v1::SIDE_SERVER).id() == 0 && ConnectionOf(admin::v1::SIDE_CLIENT).id() == 0;
    });
  }
}

TEST_F(TransfersTest, ConnectionsSumUpWhatIsDone) {
  Serve();
  constexpr uint64_t kTail = 100;
  constexpr uint64_t kWhole = 1 << 20;
  for (int i = 0; i < 2; ++i) {
    ClientContext context;
    ASSERT_TRUE(stub_->Put(context, BlobRequest(), test::MakePayload(kWhole + kTail, 1)).ok());
  }
  const Connection client = ConnectionOf(admin::v1::SIDE_CLIENT);
  const Connection server = ConnectionOf(admin::v1::SIDE_SERVER);
  EXPECT_EQ(client.sent().payload_bytes(), 2 * (kWhole + kTail));
  EXPECT_EQ(server.received().payload_bytes(), 2 * (kWhole + kTail));
  EXPECT_EQ(client.received().payload_bytes(), 0u);
  const admin::v1::Totals& sent = client.transfers_sent();
  EXPECT_EQ(sent.payloads(), 2u);
  EXPECT_EQ(sent.payload_bytes(), 2 * (kWhole + kTail));
  EXPECT_EQ(sent.chunks(), 8u) << "of 256 KiB";
  ASSERT_THAT(sent.paths(), SizeIs(1));
  EXPECT_EQ(sent.paths(0).send(), "copy");
  EXPECT_EQ(sent.paths(0).receive(), "copy");
  EXPECT_EQ(sent.paths(0).payloads(), 2u);
  const auto bytes_by_reason = [](const auto& copied) {
    std::vector<std::pair<std::string, uint64_t>> all;
    for (const admin::v1::Copied& entry : copied) all.emplace_back(entry.reason(), entry.bytes());
    return all;
  };
  using Copied = std::pair<std::string, uint64_t>;
  EXPECT_THAT(bytes_by_reason(sent.copied_by_kernel()),
              ElementsAre(Copied("tail", 2 * kTail), Copied("forced", 2 * kWhole)));
  EXPECT_THAT(bytes_by_reason(server.transfers_received().copied()),
              ElementsAre(Copied("tail", 2 * kTail), Copied("forced", 2 * kWhole)));
  EXPECT_EQ(server.transfers_received().payloads(), 2u);
}

}  // namespace
}  // namespace pagewire::admin_service
