// Asking while everything comes and goes.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "admin_service/admin_client.h"

namespace pagewire::admin_service {
namespace {

using test::BlobRequest;

constexpr int kClients = 3;
constexpr int kChannelsEach = 40;

class StressTest : public AdminTest {
 protected:
  // A channel for a few calls, some of which it does not see the end of.
  void UseChannel(int round) {
    test::Blob::Stub stub(CreateChannel(target(), InsecureChannelCredentials()));
    for (int i = 0; i < 3; ++i) {
      ClientContext context;
      auto reply = stub.Swap(context, BlobRequest(), test::MakePayload(200'000 + round, i));
      EXPECT_TRUE(reply.ok()) << reply.status();
    }
    auto context = std::make_shared<ClientContext>();
    BlobRequest blocks;
    blocks.set_sleep_ms(10 * 60 * 1000);
    stub.Callback().Echo(*context, blocks, [context](auto) {});
    if (round % 2 == 0) context->TryCancel();
  }

  void AskForAll() {
    const auto rises = [](const auto& entries, auto place) {
      return std::adjacent_find(entries.begin(), entries.end(),
                                [&](const auto& a, const auto& b) { return place(a) >= place(b); }) == entries.end();
    };
    const auto by_id = [](const auto& entry) { return entry.id(); };
    EXPECT_TRUE(rises(admin_.Connections(2), by_id));
    EXPECT_TRUE(rises(admin_.Budgets(7), by_id));
    EXPECT_TRUE(rises(admin_.Holders(), by_id));
    admin::v1::ListCallsRequest calls;
    calls.mutable_page()->set_limit(2);
    EXPECT_TRUE(
        rises(admin_.Calls(calls), [](const Call& call) { return std::make_pair(call.connection(), call.id()); }));
    admin::v1::ListTransfersRequest transfers;
    transfers.mutable_page()->set_limit(2);
    EXPECT_TRUE(rises(admin_.Transfers(transfers), [](const Transfer& transfer) {
      return std::make_tuple(transfer.connection(), transfer.sent(), transfer.payload());
    }));
    ++answers_;
  }

  std::atomic<int> answers_ = 0;
};

TEST_F(StressTest, AnswersStayInOrderWhileConnectionsAndCallsComeAndGo) {
  Serve();
  std::atomic<int> clients = kClients;
  std::vector<std::thread> threads;
  for (int i = 0; i < kClients; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < kChannelsEach; ++round) UseChannel(round);
      --clients;
    });
  }
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      do {
        AskForAll();
      } while (clients > 0);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(answers_, 2);
  service_.Release();
  stub_.reset();
  channel_.reset();
  Await([&] { return ConnectionOf(admin::v1::SIDE_SERVER).id() == 0; });
  EXPECT_TRUE(admin_.CallsOf("Echo", admin::v1::SIDE_SERVER).empty());
  EXPECT_TRUE(admin_.HoldersOf("Swap").empty());
}

}  // namespace
}  // namespace pagewire::admin_service
