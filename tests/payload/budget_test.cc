#include "payload/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pagewire::memory {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> HoldersOf(const Budget& budget) {
  std::vector<std::string> holders;
  for (const Holder& holder : budget.Holders()) holders.push_back(holder.label + "=" + std::to_string(holder.bytes));
  return holders;
}

// Collects what was granted, in order.
class Grants {
 public:
  auto Take(std::string name) {
    return [this, name](Reservation reservation) {
      names_.push_back(name);
      reservations_.push_back(std::move(reservation));
    };
  }
  const std::vector<std::string>& names() const { return names_; }
  void DropFirst() {
    // Out of the vector first: the reservation's end may grant the next.
    const Reservation first = std::move(reservations_.front());
    reservations_.erase(reservations_.begin());
  }
  void DropAll() {
    while (!reservations_.empty()) DropFirst();
  }

 private:
  std::vector<std::string> names_;
  std::vector<Reservation> reservations_;
};

TEST(BudgetTest, ExactlyTheLimitFits) {
  Budget budget("process", 100, "raise it");
  std::optional<Reservation> all = budget.TryReserve(100, "a");
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->bytes(), 100u);
  EXPECT_EQ(budget.reserved(), 100u);
  EXPECT_FALSE(budget.TryReserve(1, "b").has_value());
  all.reset();
  EXPECT_EQ(budget.reserved(), 0u);
  EXPECT_FALSE(budget.TryReserve(101, "b").has_value());
  EXPECT_TRUE(budget.TryReserve(100, "b").has_value());
}

TEST(BudgetTest, ZeroBytesAlwaysFit) {
  Budget budget("process", 0, "raise it");
  EXPECT_TRUE(budget.TryReserve(0, "a").has_value());
  EXPECT_FALSE(budget.TryReserve(1, "a").has_value());
  Grants grants;
  const absl::StatusOr<Ticket> ticket = budget.Reserve(0, "a", grants.Take("a"));
  ASSERT_TRUE(ticket.ok());
  EXPECT_THAT(grants.names(), ElementsAre("a"));
  EXPECT_THAT(HoldersOf(budget), IsEmpty());

  budget.SetLimit(1);
  const std::optional<Reservation> held = budget.TryReserve(1, "holder");
  const absl::StatusOr<Ticket> waiting = budget.Reserve(1, "b", grants.Take("b"));
  const absl::StatusOr<Ticket> nothing = budget.Reserve(0, "c", grants.Take("c"));
  EXPECT_THAT(grants.names(), ElementsAre("a", "c")) << "past a line";
}

TEST(BudgetTest, NoLimitNeverOverflows) {
  Budget budget("process", Budget::kNoLimit, "raise it");
  const std::optional<Reservation> most = budget.TryReserve(Budget::kNoLimit - 1, "a");
  ASSERT_TRUE(most.has_value());
  EXPECT_FALSE(budget.TryReserve(2, "b").has_value());
  EXPECT_FALSE(budget.TryReserve(Budget::kNoLimit, "b").has_value());
  EXPECT_TRUE(budget.TryReserve(1, "b").has_value());
}

TEST(BudgetTest, EveryLevelIsChargedAndLimits) {
  Budget process("process", 100, "raise it");
  Budget server("server", 80, "raise it", &process);
  Budget connection("connection", Budget::kNoLimit, "raise it", &server);
  std::optional<Reservation> held = connection.TryReserve(70, "a");
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(connection.reserved(), 70u);
  EXPECT_EQ(server.reserved(), 70u);
  EXPECT_EQ(process.reserved(), 70u);
  EXPECT_FALSE(connection.TryReserve(11, "a").has_value());
  EXPECT_FALSE(process.TryReserve(31, "a").has_value());
  EXPECT_TRUE(process.TryReserve(30, "a").has_value());
}

TEST(BudgetTest, MoreThanALimitIsRefusedAtOnceAndSaysWhatToDo) {
  Budget process("process", 1000, "raise it with SetHeldBudget");
  Budget server("server", Budget::kNoLimit, "raise it with ServerBuilder", &process);
  Grants grants;
  const absl::Status refused = server.Reserve(1001, "a", grants.Take("a")).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(
      refused.message(),
      "cannot hold 1001 bytes: the limit of the process's held budget is 1000 bytes; raise it with SetHeldBudget");
  server.SetLimit(10);
  EXPECT_EQ(server.Reserve(11, "a", grants.Take("a")).status().message(),
            "cannot hold 11 bytes: the limit of the server's held budget is 10 bytes; raise it with ServerBuilder");
  EXPECT_THAT(grants.names(), IsEmpty());
}

TEST(BudgetTest, WhatIsFreeIsGrantedInsideTheCall) {
  Budget budget("process", 100, "raise it");
  Grants grants;
  absl::StatusOr<Ticket> ticket = budget.Reserve(100, "a", grants.Take("a"));
  ASSERT_TRUE(ticket.ok());
  EXPECT_THAT(grants.names(), ElementsAre("a"));
  EXPECT_EQ(budget.reserved(), 100u);
  EXPECT_FALSE(ticket->Withdraw());
  EXPECT_EQ(budget.reserved(), 100u);
  grants.DropAll();
  EXPECT_EQ(budget.reserved(), 0u);
}

TEST(BudgetTest, FirstComeFirstServed) {
  Budget budget("process", 100, "raise it");
  std::optional<Reservation> held = budget.TryReserve(60, "holder");
  Grants grants;
  const auto large = budget.Reserve(90, "large", grants.Take("large"));
  const auto small = budget.Reserve(10, "small", grants.Take("small"));
  EXPECT_FALSE(budget.TryReserve(1, "pusher").has_value()) << "40 bytes are free, but others were first";
  EXPECT_THAT(grants.names(), IsEmpty());
  held.reset();
  EXPECT_THAT(grants.names(), ElementsAre("large", "small"));
  EXPECT_EQ(budget.reserved(), 100u);
  EXPECT_THAT(HoldersOf(budget), ElementsAre("large=90", "small=10"));
}

TEST(BudgetTest, ALineAtOneLevelDoesNotStopThoseWhoDoNotShareIt) {
  Budget process("process", 100, "raise it");
  Budget a("a", 10, "raise it", &process);
  Budget b("b", 50, "raise it", &process);
  std::optional<Reservation> held = a.TryReserve(10, "holder");
  Grants grants;
  const auto first = a.Reserve(5, "first", grants.Take("first"));
  EXPECT_FALSE(a.TryReserve(1, "x").has_value());
  EXPECT_TRUE(b.TryReserve(50, "y").has_value());
  const auto second = b.Reserve(50, "second", grants.Take("second"));
  EXPECT_THAT(grants.names(), ElementsAre("second"));
  held.reset();
  EXPECT_THAT(grants.names(), ElementsAre("second", "first"));
}

TEST(BudgetTest, ALineAtASharedLevelStopsAll) {
  Budget process("process", 100, "raise it");
  Budget a("a", Budget::kNoLimit, "raise it", &process);
  Budget b("b", Budget::kNoLimit, "raise it", &process);
  std::optional<Reservation> held = a.TryReserve(50, "holder");
  Grants grants;
  const auto first = a.Reserve(60, "first", grants.Take("first"));
  EXPECT_FALSE(b.TryReserve(1, "x").has_value());
  const auto second = b.Reserve(1, "second", grants.Take("second"));
  EXPECT_THAT(grants.names(), IsEmpty());
  held.reset();
  EXPECT_THAT(grants.names(), ElementsAre("first", "second"));
}

TEST(BudgetTest, AShortLineRefusesWhatWouldWaitBehindTooMuch) {
  Budget server("server", 100, "raise it");
  server.SetMaxWaiting(90, "raise the line");
  Budget connection("connection", Budget::kNoLimit, "", &server);
  Budget newcomer("connection", Budget::kNoLimit, "", &server);
  Grants grants;
  const auto reserve = [&](Budget& budget, uint64_t bytes, const char* name, Patience patience = Patience::kShortLine) {
    return budget.Reserve(bytes, name, grants.Take(name), patience);
  };
  const auto held = reserve(connection, 100, "held");
  EXPECT_THAT(grants.names(), ElementsAre("held")) << "what need not wait is in no line";
  std::vector<Ticket> line;
  for (int i = 0; i < 8; ++i) {
    absl::StatusOr<Ticket> ticket = reserve(connection, 10, "waits");
    ASSERT_TRUE(ticket.ok()) << i << " " << ticket.status();
    line.push_back(*std::move(ticket));
  }
  EXPECT_EQ(
      reserve(connection, 10, "refused").status(),
      absl::ResourceExhaustedError(
          "10 bytes would have to wait for the server's held budget, as 80 do already; the rest is kept for others, "
          "and the limit is 90; raise the line, or try again later"));
  EXPECT_TRUE(reserve(connection, 10, "patient", Patience::kAnyLine).ok()) << "its ticket goes at once";
  EXPECT_TRUE(reserve(newcomer, 10, "newcomer").ok()) << "and so does this one's";
  auto last = reserve(newcomer, 10, "last");
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(
      reserve(newcomer, 1, "refused").status(),
      absl::ResourceExhaustedError("1 bytes would have to wait for the server's held budget, as 90 do already; the "
                                   "limit is 90; raise the line, or try again later"));
  line.clear();
  EXPECT_TRUE(reserve(connection, 60, "as before").ok()) << "those who left the line are not counted";
  grants.DropFirst();
  EXPECT_THAT(grants.names(), ElementsAre("held", "last")) << "nor are those who got theirs";
  const auto next = reserve(connection, 90, "next");
  EXPECT_THAT(grants.names(), ElementsAre("held", "last", "next"));
  EXPECT_TRUE(reserve(connection, 80, "alone").ok());
  EXPECT_FALSE(reserve(connection, 91, "too much for the line").ok());
}

TEST(BudgetTest, AWithdrawnTicketLetsTheNextIn) {
  Budget budget("process", 100, "raise it");
  const std::optional<Reservation> held = budget.TryReserve(50, "holder");
  Grants grants;
  absl::StatusOr<Ticket> first = budget.Reserve(60, "first", grants.Take("first"));
  const absl::StatusOr<Ticket> second = budget.Reserve(50, "second", grants.Take("second"));
  *first = Ticket();
  EXPECT_THAT(grants.names(), ElementsAre("second"));
  EXPECT_FALSE(first->Withdraw()) << "it is in no line any more";
}

TEST(BudgetTest, AWithdrawnCallbackIsDestroyedAtOnce) {
  Budget budget("process", 1, "raise it");
  const std::optional<Reservation> held = budget.TryReserve(1, "holder");
  const auto owned = std::make_shared<int>();
  absl::StatusOr<Ticket> ticket = budget.Reserve(1, "x", [owned](Reservation) {});
  EXPECT_EQ(owned.use_count(), 2);
  EXPECT_TRUE(ticket->Withdraw());
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(BudgetTest, WithdrawnBetweenGrantAndStart) {
  Budget budget("process", 10, "raise it");
  std::optional<Reservation> held = budget.TryReserve(10, "holder");
  std::vector<std::string> ran;
  absl::StatusOr<Ticket> second;
  const auto first = budget.Reserve(5, "first", [&](Reservation) {
    ran.push_back("first");
    EXPECT_EQ(budget.reserved(), 10u) << "both were granted when the holder left";
    EXPECT_TRUE(second->Withdraw());
    EXPECT_EQ(budget.reserved(), 5u);
  });
  second = budget.Reserve(5, "second", [&](Reservation) { ran.push_back("second"); });
  held.reset();
  EXPECT_THAT(ran, ElementsAre("first"));
  EXPECT_EQ(budget.reserved(), 0u);
}

TEST(BudgetTest, ATicketMayGoInsideItsOwnCallback) {
  Budget budget("process", 10, "raise it");
  std::optional<Reservation> held = budget.TryReserve(10, "holder");
  auto ticket = std::make_unique<Ticket>();
  bool ran = false;
  *ticket = *budget.Reserve(10, "x", [&](Reservation) {
    ran = true;
    ticket.reset();
  });
  held.reset();
  EXPECT_TRUE(ran);
}

TEST(BudgetTest, ALongLineOfCallbacksThatLetGoIsNoDeepStack) {
  Budget budget("process", 10, "raise it");
  std::optional<Reservation> held = budget.TryReserve(10, "holder");
  std::vector<Ticket> tickets;
  int ran = 0;
  int depth = 0;
  for (int i = 0; i < 20000; ++i) {
    tickets.push_back(*budget.Reserve(10, "x", [&](Reservation reservation) {
      EXPECT_EQ(++depth, 1);
      ++ran;
      reservation = Reservation();
      --depth;
    }));
  }
  held.reset();
  EXPECT_EQ(ran, 20000);
  EXPECT_EQ(budget.reserved(), 0u);
}

TEST(BudgetTest, CallbacksMayUseTheBudget) {
  Budget budget("process", 10, "raise it");
  std::optional<Reservation> held = budget.TryReserve(10, "holder");
  std::vector<std::string> ran;
  Ticket inner;
  const auto outer = budget.Reserve(4, "outer", [&](Reservation own) {
    EXPECT_EQ(own.bytes(), 4u);
    ran.push_back("outer");
    EXPECT_THAT(HoldersOf(budget), ElementsAre("outer=4"));
    EXPECT_TRUE(budget.TryReserve(6, "x").has_value());
    inner = *budget.Reserve(6, "inner", [&](Reservation) { ran.push_back("inner"); });
    EXPECT_THAT(ran, ElementsAre("outer")) << "not inside this callback";
    budget.SetLimit(20);
  });
  held.reset();
  EXPECT_THAT(ran, ElementsAre("outer", "inner"));
}

TEST(BudgetTest, OverdrawIgnoresLimitsAndOthersWaitForIt) {
  Budget budget("process", 10, "raise it");
  Reservation overdrawn = budget.Overdraw(25, "credit");
  EXPECT_EQ(budget.reserved(), 25u);
  EXPECT_FALSE(budget.TryReserve(1, "x").has_value());
  Grants grants;
  const auto waiting = budget.Reserve(10, "x", grants.Take("x"));
  ASSERT_TRUE(waiting.ok());
  overdrawn = Reservation();
  EXPECT_THAT(grants.names(), ElementsAre("x"));
}

TEST(BudgetTest, ALoweredLimitTakesNothingAway) {
  Budget budget("process", 100, "raise it");
  std::optional<Reservation> held = budget.TryReserve(80, "holder");
  budget.SetLimit(50);
  EXPECT_EQ(budget.reserved(), 80u);
  Grants grants;
  const auto waiting = budget.Reserve(50, "x", grants.Take("x"));
  held->Split(40) = Reservation();
  EXPECT_THAT(grants.names(), IsEmpty());
  held.reset();
  EXPECT_THAT(grants.names(), ElementsAre("x"));
}

TEST(BudgetTest, ARaisedLimitLetsThoseInLineIn) {
  Budget budget("process", 100, "raise it");
  const std::optional<Reservation> held = budget.TryReserve(80, "holder");
  Grants grants;
  const auto a = budget.Reserve(30, "a", grants.Take("a"));
  const auto b = budget.Reserve(30, "b", grants.Take("b"));
  budget.SetLimit(120);
  EXPECT_THAT(grants.names(), ElementsAre("a"));
  budget.SetLimit(Budget::kNoLimit);
  EXPECT_THAT(grants.names(), ElementsAre("a", "b"));
}

TEST(BudgetTest, WhatALoweredLimitMadeImpossibleHoldsUpNobody) {
  Budget budget("process", 100, "raise it");
  std::optional<Reservation> held = budget.TryReserve(20, "holder");
  Grants grants;
  const auto large = budget.Reserve(90, "large", grants.Take("large"));
  const auto small = budget.Reserve(10, "small", grants.Take("small"));
  budget.SetLimit(50);
  EXPECT_THAT(grants.names(), ElementsAre("small"));
  held.reset();
  EXPECT_THAT(grants.names(), ElementsAre("small"));
  budget.SetLimit(100);
  EXPECT_THAT(grants.names(), ElementsAre("small", "large"));
}

TEST(BudgetTest, PartsOfAReservationAreOneHolder) {
  Budget budget("process", 100, "raise it");
  Reservation whole = *budget.TryReserve(100, "/pkg.Service/Method");
  Reservation part = whole.Split(30);
  EXPECT_EQ(whole.bytes(), 70u);
  EXPECT_EQ(part.bytes(), 30u);
  EXPECT_THAT(HoldersOf(budget), ElementsAre("/pkg.Service/Method=100"));
  whole = Reservation();
  EXPECT_THAT(HoldersOf(budget), ElementsAre("/pkg.Service/Method=30"));
  EXPECT_EQ(budget.reserved(), 30u);
  EXPECT_EQ(part.Split(0).bytes(), 0u);
  const Reservation rest = part.Split(30);
  EXPECT_EQ(part.bytes(), 0u);
  EXPECT_EQ(rest.bytes(), 30u);
}

TEST(BudgetTest, MergingMovesBytesBetweenHolders) {
  Budget budget("process", 100, "raise it");
  Reservation a = *budget.TryReserve(10, "a");
  Reservation b = *budget.TryReserve(20, "b");
  a.Merge(std::move(b));
  EXPECT_EQ(a.bytes(), 30u);
  EXPECT_EQ(b.bytes(), 0u);
  EXPECT_THAT(HoldersOf(budget), ElementsAre("a=30"));
  Reservation part = a.Split(5);
  a.Merge(std::move(part));
  EXPECT_THAT(HoldersOf(budget), ElementsAre("a=30"));
  a.Merge(Reservation());
  Reservation empty;
  empty.Merge(std::move(a));
  EXPECT_EQ(empty.bytes(), 30u);
  EXPECT_EQ(budget.reserved(), 30u);
}

TEST(BudgetTest, AHolderCanBeNamedLater) {
  Budget budget("process", 100, "raise it");
  Reservation credit = *budget.TryReserve(100, "connection credit");
  Reservation used = credit.Split(40);
  used.set_holder("/pkg.Service/Method");
  EXPECT_THAT(HoldersOf(budget), ElementsAre("connection credit=60", "/pkg.Service/Method=40"));
  EXPECT_GE(budget.Holders()[1].since, budget.Holders()[0].since);
  Reservation().set_holder("nobody");
}

TEST(BudgetTest, HoldersAreListedAtTheirLevelAndAbove) {
  Budget process("process", 100, "raise it");
  Budget a("a", 100, "raise it", &process);
  Budget b("b", 100, "raise it", &process);
  const auto held_a = a.TryReserve(1, "in a");
  const auto held_b = b.TryReserve(2, "in b");
  EXPECT_THAT(HoldersOf(a), ElementsAre("in a=1"));
  EXPECT_THAT(HoldersOf(b), ElementsAre("in b=2"));
  EXPECT_THAT(HoldersOf(process), ElementsAre("in a=1", "in b=2"));
}

TEST(BudgetTest, ReservationsAndTicketsOutliveTheBudget) {
  auto process = std::make_unique<Budget>("process", 10, "raise it");
  auto child = std::make_unique<Budget>("child", 10, "raise it", process.get());
  std::optional<Reservation> held = child->TryReserve(10, "x");
  Grants grants;
  const auto ticket = child->Reserve(10, "y", grants.Take("y"));
  process.reset();
  child.reset();
  held.reset();
  EXPECT_THAT(grants.names(), ElementsAre("y"));
}

TEST(BudgetDeathTest, WrongUseEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  Budget a("a", 10, "raise it");
  Budget b("b", 10, "raise it");
  Reservation in_a = *a.TryReserve(5, "x");
  EXPECT_DEATH(in_a.Split(6), "Reservation::Split: more bytes than there are");
  EXPECT_DEATH(in_a.Merge(*b.TryReserve(5, "x")), "Reservation::Merge: charged to different budgets");
}

TEST(BudgetTest, LevelsAreListedWhileAnybodyHasThem) {
  Budget process("process", 1000, "raise it");
  auto server = std::make_unique<Budget>("server", 500, "raise it", &process, "");
  auto connection = std::make_unique<Budget>("connection", Budget::kNoLimit, "", server.get(), "ipv4:1.2.3.4:5");
  std::optional<Reservation> held = connection->TryReserve(100, "a");
  connection->TryReserve(300, "b").reset();
  std::optional<Reservation> more = connection->TryReserve(10, "c");  // a peak is not what came last
  std::vector<BudgetView> levels = process.ListLevels(0, 10);
  ASSERT_EQ(levels.size(), 3u);
  EXPECT_EQ(levels[0].id, process.id());
  EXPECT_EQ(levels[1].id, server->id());
  EXPECT_EQ(levels[1].parent, process.id());
  EXPECT_EQ(levels[2].parent, server->id());
  EXPECT_EQ(levels[2].name, "connection");
  EXPECT_EQ(levels[2].peer, "ipv4:1.2.3.4:5");
  EXPECT_EQ(levels[1].limit, 500u);
  for (const BudgetView& level : levels) {
    EXPECT_EQ(level.reserved, 110u);
    EXPECT_EQ(level.peak, 400u);
  }
  const auto waiting = connection->Reserve(450, "c", [](Reservation) {});
  ASSERT_TRUE(waiting.ok());
  EXPECT_EQ(process.ListLevels(server->id(), 10).front().waiting, 450u);
  EXPECT_EQ(process.ListLevels(0, 2).size(), 2u);
  connection.reset();
  server.reset();
  EXPECT_EQ(process.ListLevels(0, 10).size(), 3u) << "bytes are held";
}

TEST(BudgetTest, LevelsThatAreGoneAreForgotten) {
  Budget process("process", 1000, "raise it");
  uint64_t last = 0;
  for (int i = 0; i < 1000; ++i) {
    const Budget connection("connection", 10, "", &process);
    EXPECT_GT(connection.id(), last);
    last = connection.id();
  }
  EXPECT_EQ(process.ListLevels(0, 10'000).size(), 1u);
}

TEST(BudgetTest, HoldersAreListedWithTheirCallsAndWhetherTheyWereDelivered) {
  Budget process("process", 10'000, "raise it");
  Budget server("server", 5'000, "raise it", &process);
  Budget connection("connection", Budget::kNoLimit, "", &server, "a peer");
  std::optional<Reservation> first = connection.TryReserve(100, {"/s/A", 7});
  std::optional<Reservation> other = process.TryReserve(50, "b");
  std::vector<HolderView> holders = process.ListHolders({.limit = 10});
  ASSERT_EQ(holders.size(), 2u);
  EXPECT_EQ(holders[0].label, "/s/A");
  EXPECT_EQ(holders[0].call, 7u);
  EXPECT_EQ(holders[0].peer, "a peer");
  EXPECT_EQ(holders[0].budget, connection.id());
  EXPECT_EQ(holders[0].bytes, 100u);
  EXPECT_EQ(holders[0].delivered, absl::InfiniteFuture());
  EXPECT_LT(holders[0].id, holders[1].id);
  Reservation part = first->Split(60);
  first->SetDelivered();
  first.reset();
  holders = process.ListHolders({.limit = 10, .budget = server.id()});
  ASSERT_EQ(holders.size(), 1u) << "of the server";
  EXPECT_EQ(holders[0].bytes, 60u);
  EXPECT_NE(holders[0].delivered, absl::InfiniteFuture());
  EXPECT_TRUE(process.ListHolders({.limit = 10, .until = absl::Now() - absl::Hours(1)}).empty());
  EXPECT_EQ(process.ListHolders({.after = holders[0].id, .limit = 10}).size(), 1u);
  EXPECT_EQ(process.ListHolders({.limit = 1}).size(), 1u);
}

// They are looked at a few at a time, with others in between.
TEST(BudgetTest, AllOfManyHoldersAreListed) {
  Budget process("process", 10'000, "raise it");
  std::vector<Reservation> all;
  for (int i = 0; i < 1000; ++i) all.push_back(*process.TryReserve(1, "h"));
  const std::vector<HolderView> holders = process.ListHolders({.limit = 5'000});
  ASSERT_EQ(holders.size(), 1000u);
  for (size_t i = 1; i < holders.size(); ++i) EXPECT_LT(holders[i - 1].id, holders[i].id);
  EXPECT_EQ(process.Holders().size(), 1000u) << "no trace is left";
  EXPECT_EQ(process.ListHolders({.limit = 300}).back().id, holders[299].id);
}

}  // namespace
}  // namespace pagewire::memory
