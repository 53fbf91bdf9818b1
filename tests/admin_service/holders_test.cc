// Who holds memory, and the budgets that it is charged to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "admin_service/admin_client.h"

namespace pagewire::admin_service {
namespace {

using test::BlobRequest;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uint64_t kBytes = 3'000'001;
constexpr uint64_t kBudget = 64 << 20;

class HoldersTest : public AdminTest {
 protected:
  void Keep(uint64_t bytes) {
    ClientContext context;
    const auto reply = stub_->Keep(context, BlobRequest(), test::MakePayload(bytes, 1));
    ASSERT_TRUE(reply.ok()) << reply.status();
  }

  Budget BudgetWith(uint64_t id) {
    for (const Budget& budget : admin_.Budgets()) {
      if (budget.id() == id) return budget;
    }
    return {};
  }
};

TEST_F(HoldersTest, APayloadThatAHandlerKeptIsHeldUntilItIsDropped) {
  Serve(kBudget);
  Keep(kBytes);
  const std::vector<Holder> holders = admin_.HoldersOf("Keep");
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_EQ(holders[0].bytes(), kBytes);
  EXPECT_EQ(holders[0].peer(), ConnectionOf(admin::v1::SIDE_CLIENT).local());
  EXPECT_EQ(holders[0].call(), 1u);
  EXPECT_TRUE(holders[0].has_delivered_ms());
  EXPECT_EQ(holders[0].budget(), ConnectionOf(admin::v1::SIDE_SERVER).budget());

  // It is known by its age, also when its connection is long gone.
  stub_.reset();
  channel_.reset();
  Await([&] { return ConnectionOf(admin::v1::SIDE_SERVER).id() == 0; });
  admin::v1::ListHoldersRequest old;
  old.set_min_age_ms(holders[0].age_ms() + 50);
  old.set_budget(holders[0].budget());
  Await([&] { return admin_.Holders(old).size() == 1; });
  EXPECT_EQ(admin_.Holders(old)[0].id(), holders[0].id());
  EXPECT_EQ(admin_.Holders(old)[0].peer(), holders[0].peer());
  EXPECT_EQ(admin_.Holders(old)[0].bytes(), kBytes);
  old.set_min_age_ms(~uint64_t{0});
  EXPECT_THAT(admin_.Holders(old), IsEmpty());

  service_.TakeKept();
  EXPECT_THAT(admin_.HoldersOf("Keep"), IsEmpty());
  EXPECT_EQ(BudgetWith(holders[0].budget()).id(), 0u) << "its budget went with it";
}

TEST_F(HoldersTest, ASliceIsHeldForThePagesThatItKeeps) {
  Serve(kBudget);
  Keep(kBytes);
  std::vector<Payload> kept = service_.TakeKept();
  const Payload slice = kept[0].Slice(0, 1);
  kept.clear();
  const std::vector<Holder> holders = admin_.HoldersOf("Keep");
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_GT(holders[0].bytes(), 0u);
  EXPECT_LT(holders[0].bytes(), kBytes);
}

TEST_F(HoldersTest, AClientsPayloadsAreHeldToo) {
  Serve();
  ClientContext context;
  BlobRequest request;
  request.set_size(kBytes);
  auto reply = stub_->Get(context, request);
  ASSERT_TRUE(reply.ok()) << reply.status();
  std::vector<Holder> holders = admin_.HoldersOf("Get");
  ASSERT_THAT(holders, SizeIs(1));
  EXPECT_EQ(holders[0].bytes(), kBytes);
  EXPECT_EQ(holders[0].peer(), target());
  EXPECT_EQ(holders[0].budget(), ConnectionOf(admin::v1::SIDE_CLIENT).budget());
  reply->payload = Payload();
  EXPECT_THAT(admin_.HoldersOf("Get"), IsEmpty());
}

TEST_F(HoldersTest, BudgetsAddUp) {
  Serve(kBudget);
  Keep(kBytes);
  Keep(2 * kBytes);
  const Budget connection = BudgetWith(ConnectionOf(admin::v1::SIDE_SERVER).budget());
  EXPECT_EQ(connection.name(), "connection");
  EXPECT_EQ(connection.peer(), ConnectionOf(admin::v1::SIDE_CLIENT).local());
  EXPECT_EQ(connection.held(), 3 * kBytes);
  EXPECT_EQ(connection.peak(), 3 * kBytes);
  EXPECT_FALSE(connection.has_limit());
  Budget server = BudgetWith(connection.parent());
  EXPECT_EQ(server.name(), "server");
  EXPECT_EQ(server.limit(), kBudget);
  EXPECT_EQ(server.held(), 3 * kBytes);
  const Budget process = BudgetWith(server.parent());
  EXPECT_EQ(process.name(), "process");
  EXPECT_EQ(process.limit(), HeldBudgetLimit());
  EXPECT_EQ(process.held(), HeldBytes());
  EXPECT_EQ(process.parent(), 0u);
  const std::vector<Budget> budgets = admin_.Budgets();
  EXPECT_TRUE(std::any_of(budgets.begin(), budgets.end(), [](const Budget& budget) {
    return budget.name() == "process's connection credit" && budget.has_limit();
  }));
  const admin::v1::Memory memory = admin_.Memory();
  EXPECT_GE(memory.pool().in_use(), 3 * kBytes);
  EXPECT_GE(memory.pool().peak(), memory.pool().in_use());
  EXPECT_GE(memory.pool().reserved(), memory.pool().committed());

  service_.TakeKept();
  server = BudgetWith(connection.parent());
  EXPECT_EQ(server.held(), 0u);
  EXPECT_EQ(server.peak(), 3 * kBytes) << "it is remembered";
  EXPECT_LT(admin_.Memory().pool().in_use(), memory.pool().in_use());
}

TEST_F(HoldersTest, PagesFollowEachOtherWithoutGaps) {
  Serve(kBudget);
  for (int i = 1; i <= 5; ++i) Keep(100'000 * i);
  admin::v1::ListHoldersRequest request;
  request.mutable_page()->set_limit(2);
  request.set_budget(BudgetWith(ConnectionOf(admin::v1::SIDE_SERVER).budget()).parent());
  std::vector<uint64_t> bytes;
  uint64_t last = 0;
  for (const Holder& holder : admin_.Holders(request)) {
    EXPECT_GT(holder.id(), last);
    last = holder.id();
    bytes.push_back(holder.bytes());
  }
  EXPECT_THAT(bytes, ::testing::ElementsAre(100'000, 200'000, 300'000, 400'000, 500'000)) << "of the whole server";
  std::map<uint64_t, int> budgets;
  for (const Budget& budget : admin_.Budgets(1)) ++budgets[budget.id()];
  EXPECT_EQ(budgets.size(), admin_.Budgets().size());
}

}  // namespace
}  // namespace pagewire::admin_service
