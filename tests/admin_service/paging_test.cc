// Lists that are read page by page while the process goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "admin_service/admin_client.h"
#include "base/latch.h"
#include "payload/budget.h"

namespace pagewire::admin_service {
namespace {

using test::BlobReply;
using test::BlobRequest;
using ::testing::SizeIs;

class PagingTest : public AdminTest {
 protected:
  // Reads a list to its end, one entry at a time, and does something between two answers. A list without an end takes
  // the test to its time limit.
  template <typename Request, typename Ask, typename Between>
  auto ReadOneByOne(Ask ask, Between between) {
    Request request;
    request.mutable_page()->set_limit(1);
    ClientContext first;
    std::vector<std::decay_t<decltype(*ask(first, request))>> answers;
    for (bool more = true; more;) {
      ClientContext context;
      auto response = ask(context, request);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      more = response->has_next();
      *request.mutable_page()->mutable_after() = response->next();
      answers.push_back(*std::move(response));
      between();
    }
    return answers;
  }

  auto ReadCallsOneByOne(absl::AnyInvocable<void()> between) {
    return ReadOneByOne<admin::v1::ListCallsRequest>(
        [&](ClientContext& context, const auto& request) { return admin_.stub().ListCalls(context, request); },
        std::move(between));
  }

  struct Started {
    ClientContext context;
    testing::Latch ended;
  };

  // Echo with a handler that does not come back, Put with a payload that has no room.
  void StartEcho(test::Blob::Stub& stub, int64_t sleep_ms = 10 * 60 * 1000) {
    BlobRequest request;
    request.set_sleep_ms(sleep_ms);
    Started* const call = started_.emplace_back(std::make_unique<Started>()).get();
    stub.Callback().Echo(call->context, request, [call](auto) { call->ended.CountDown(); });
  }
  void StartPut(uint64_t bytes) {
    Started* const call = started_.emplace_back(std::make_unique<Started>()).get();
    stub_->Callback().Put(call->context, BlobRequest(), test::MakePayload(bytes, 1),
                          [call](auto) { call->ended.CountDown(); });
  }
  void CancelAll() {
    for (const auto& call : started_) call->context.TryCancel();
    for (const auto& call : started_) call->ended.Wait();
  }

  std::vector<std::unique_ptr<Started>> started_;
};

TEST_F(PagingTest, NothingComesAfterTheLastId) {
  Serve();
  ClientContext first;
  ASSERT_TRUE(stub_->Echo(first, BlobRequest()).ok());
  admin::v1::Page page;
  page.mutable_after()->set_id(~uint64_t{0});
  ClientContext contexts[5];
  admin::v1::ListConnectionsRequest connections;
  admin::v1::ListCallsRequest calls;
  admin::v1::ListTransfersRequest transfers;
  admin::v1::ListBudgetsRequest budgets;
  admin::v1::ListHoldersRequest holders;
  *connections.mutable_page() = *calls.mutable_page() = *transfers.mutable_page() = page;
  *budgets.mutable_page() = *holders.mutable_page() = page;
  EXPECT_EQ(admin_.stub().ListConnections(contexts[0], connections)->connections_size(), 0);
  EXPECT_EQ(admin_.stub().ListCalls(contexts[1], calls)->calls_size(), 0);
  EXPECT_EQ(admin_.stub().ListTransfers(contexts[2], transfers)->transfers_size(), 0);
  EXPECT_EQ(admin_.stub().ListBudgets(contexts[3], budgets)->budgets_size(), 0);
  EXPECT_EQ(admin_.stub().ListHolders(contexts[4], holders)->holders_size(), 0);
}

TEST_F(PagingTest, CallsThatWaitInSeveralChannelsAreToldApart) {
  ListenNowhere();
  std::vector<std::unique_ptr<test::Blob::Stub>> stubs;
  for (int i = 0; i < 3; ++i) {
    stubs.push_back(std::make_unique<test::Blob::Stub>(
        CreateCustomChannel(target(), InsecureChannelCredentials(), RetriesInAnHour())));
    StartEcho(*stubs.back());
  }
  Await([&] {
    const auto calls = admin_.CallsOf("Echo", admin::v1::SIDE_CLIENT);
    return calls.size() == 3 && std::all_of(calls.begin(), calls.end(), [](const Call& call) {
             return call.phase() == Call::PHASE_WAITING_TO_RETRY;
           });
  });
  std::set<std::pair<uint64_t, uint64_t>> places;
  for (const Call& call : admin_.CallsOf("Echo", admin::v1::SIDE_CLIENT)) {
    places.emplace(call.connection(), call.id());
    admin::v1::ListCallsRequest one;
    one.set_connection(call.connection());
    EXPECT_THAT(admin_.Calls(one), SizeIs(1)) << "a channel each";
  }
  EXPECT_THAT(places, SizeIs(3));
  admin::v1::ListCallsRequest pages;
  pages.mutable_page()->set_limit(2);
  const std::vector<Call> calls = admin_.Calls(pages);
  EXPECT_EQ(std::count_if(calls.begin(), calls.end(),
                          [](const Call& call) { return call.phase() == Call::PHASE_WAITING_TO_RETRY; }),
            3);
  CancelAll();
}

TEST_F(PagingTest, CallsEndAlthoughWhoAsksCallsForEachPage) {
  EXPECT_FALSE(ReadCallsOneByOne([] {}).empty());
}

TEST_F(PagingTest, CallsEndWhileMoreBeginThanAreRead) {
  Serve();
  StartEcho(*stub_);
  Await([&] { return admin_.CallsOf("Echo", admin::v1::SIDE_SERVER).size() == 1; });
  const uint64_t first = admin_.CallsOf("Echo", admin::v1::SIDE_SERVER)[0].id();
  bool seen = false;
  for (const auto& answer : ReadCallsOneByOne([&] {
         const uint64_t begun = ConnectionOf(admin::v1::SIDE_SERVER).calls_begun();
         StartEcho(*stub_);
         Await([&] { return ConnectionOf(admin::v1::SIDE_SERVER).calls_begun() > begun; });
       })) {
    for (const Call& call : answer.calls()) {
      seen |= call.method() == MethodName("Echo") && call.side() == admin::v1::SIDE_SERVER && call.id() == first;
    }
  }
  EXPECT_TRUE(seen);
  CancelAll();
}

TEST_F(PagingTest, TransfersEndWhileMoreBeginThanAreRead) {
  // More than a connection may send without asking, and more than half of the budget.
  constexpr uint64_t kBudget = 16 << 20;
  constexpr uint64_t kBytes = 10'000'001;
  Serve(kBudget);
  ClientContext context;
  ASSERT_TRUE(stub_->Keep(context, BlobRequest(), test::MakePayload(kBytes, 1)).ok());
  const auto waiting = [&] {
    const auto calls = admin_.CallsOf("Put", admin::v1::SIDE_SERVER);
    return static_cast<size_t>(std::count_if(calls.begin(), calls.end(),
                                             [](const Call& call) { return call.phase() == Call::PHASE_RECEIVING; }));
  };
  const auto start = [&] {
    const size_t before = waiting();
    StartPut(kBytes);
    Await([&] { return waiting() > before; });
  };
  start();
  size_t received = 0;
  for (const auto& answer : ReadOneByOne<admin::v1::ListTransfersRequest>(
           [&](ClientContext&asking, const auto&request) { return admin_.stub().ListTransfers(asking, request); },
           start)) {
    for (const Transfer& transfer : answer.transfers()) received += transfer.sent() ? 0 : 1;
  }
  EXPECT_GE(received, 1u);
  CancelAll();
}

TEST_F(PagingTest, HoldersEndWhileMoreComeThanAreRead) {
  const auto hold = [](std::string_view label) { return *memory::ProcessBudget().TryReserve(1, {label}); };
  std::vector<memory::Reservation> held;
  for (int i = 0; i < 3; ++i) held.push_back(hold("before"));
  size_t before = 0;
  size_t meanwhile = 0;
  for (const auto& answer : ReadOneByOne<admin::v1::ListHoldersRequest>(
           [&](ClientContext&context, const auto&request) { return admin_.stub().ListHolders(context, request); },
           [&] { held.push_back(hold("meanwhile")); })) {
    for (const Holder& holder : answer.holders()) {
      before += holder.label() == "before" ? 1 : 0;
      meanwhile += holder.label() == "meanwhile" ? 1 : 0;
    }
  }
  EXPECT_EQ(before, 3u);
  EXPECT_EQ(meanwhile, 0u);
}

}  // namespace
}  // namespace pagewire::admin_service
