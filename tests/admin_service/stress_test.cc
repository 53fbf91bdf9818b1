// Asking while everything comes and goes.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "admin_service/admin_client.h"
#include "base/latch.h"

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

  // Asks for as long as `act(client)` goes on, each on a thread of its own.
  template <typename Act>
  void AskWhile(int clients, Act act) {
    std::atomic<int> left = clients;
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i) {
      threads.emplace_back([&, i] {
        act(i);
        --left;
      });
    }
    do {
      AskForAll();
    } while (left > 0);
    for (std::thread& thread : threads) thread.join();
  }

  // So that things end at different moments of an answer.
  void AwaitAnswers(int answers) {
    const int before = answers_;
    while (answers_ < before + answers) std::this_thread::yield();
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

TEST_F(StressTest, ChannelsEndWhileTheirWaitingCallsAreListed) {
  ListenNowhere();
  ChannelOptions options;
  options.initial_backoff = options.max_backoff = absl::Milliseconds(3);
  options.service_config = R"({"methodConfig": [{"name": [{"service": "pagewire.test.Blob"}], "retryPolicy": {
    "maxAttempts": 5, "initialBackoff": "0.004s", "maxBackoff": "0.004s", "backoffMultiplier": 1,
    "retryableStatusCodes": ["UNAVAILABLE"]}}]})";
  AskWhile(kClients, [&](int client) {
    for (int round = 0; round < kChannelsEach; ++round) {
      constexpr int kCalls = 4;
      ClientContext contexts[kCalls];
      testing::Latch ended(kCalls);
      {
        test::Blob::Stub stub(CreateCustomChannel(target(), InsecureChannelCredentials(), options));
        contexts[0].set_wait_for_ready(true);
        for (ClientContext& context : contexts) {
          stub.Callback().Echo(context, BlobRequest(), [&](auto) { ended.CountDown(); });
        }
        AwaitAnswers((round + client) % 3);
        contexts[1].TryCancel();
      }
      ended.Wait();
    }
  });
}

TEST_F(StressTest, ServersEndWhileTheyAreAskedAndListed) {
  AskWhile(kClients, [&](int client) {
    for (int round = 0; round < kChannelsEach; ++round) {
      constexpr int kCalls = 5;
      ClientContext contexts[kCalls];
      testing::Latch ended(kCalls);
      const auto end = [&](const auto&) { ended.CountDown(); };
      test::BlobService blob;
      AdminService admin;
      int port = 0;
      {
        ServerBuilder builder;
        builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port).RegisterService(&blob);
        builder.RegisterInlineService(admin.service());
        const auto server = builder.BuildAndStart();
        ASSERT_TRUE(server.ok()) << server.status();
        const auto channel =
            round % 2 == 0 ? CreateInProcessChannel(**server)
                           : CreateChannel("ipv4:127.0.0.1:" + std::to_string(port), InsecureChannelCredentials());
        test::Blob::Stub stub(channel);
        admin::v1::Admin::Stub own(channel);
        BlobRequest blocks;
        blocks.set_sleep_ms(10 * 60 * 1000);
        stub.Callback().Echo(contexts[0], blocks, end);
        stub.Callback().Swap(contexts[1], blocks, test::MakePayload(700'000, 1), end);
        own.Callback().ListCalls(contexts[2], {}, end);
        own.Callback().ListTransfers(contexts[3], {}, end);
        own.Callback().ListConnections(contexts[4], {}, end);
        AwaitAnswers((round + client) % 3);
        if (round % 3 == 0) contexts[0].TryCancel();
        if (round % 4 == 0) blob.Release();
      }
      ended.Wait();
    }
  });
}

}  // namespace
}  // namespace pagewire::admin_service
