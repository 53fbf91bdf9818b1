#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/held_budget.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "base/memory_limit.h"
#include "payload/budget.h"

namespace pagewire {
namespace {

// The limit is read at first use, so each case is a process of its own.
[[noreturn]] void PrintLimitAndExit(const char* variable) {
  if (variable != nullptr) {
    setenv("PAGEWIRE_HELD_BUDGET", variable, 1);
  } else {
    unsetenv("PAGEWIRE_HELD_BUDGET");
  }
  const uint64_t limit = HeldBudgetLimit();  // before, because it may log
  std::cerr << "limit=" << limit << std::endl;
  std::_Exit(0);
}

class HeldBudgetDeathTest : public ::testing::Test {
 protected:
  HeldBudgetDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  const std::string quarter_ = "limit=" + std::to_string(base::UsableMemoryBytes() / 4) + "\n";
};

TEST_F(HeldBudgetDeathTest, DefaultIsAQuarterOfMemory) {
  EXPECT_EXIT(PrintLimitAndExit(nullptr), ::testing::ExitedWithCode(0), quarter_);
}

TEST_F(HeldBudgetDeathTest, TheEnvironmentSetsIt) {
  EXPECT_EXIT(PrintLimitAndExit("12345"), ::testing::ExitedWithCode(0), "limit=12345\n");
  EXPECT_EXIT(PrintLimitAndExit("0"), ::testing::ExitedWithCode(0), "limit=0\n");
}

TEST_F(HeldBudgetDeathTest, NonsenseInTheEnvironmentIsLoggedAndIgnored) {
  for (const char* text : {"", "1G", "-1", "99999999999999999999"}) {
    EXPECT_EXIT(PrintLimitAndExit(text), ::testing::ExitedWithCode(0),
                "warning pagewire .*PAGEWIRE_HELD_BUDGET=" + std::string(text) +
                    " is ignored: it must be a number of bytes\n" + quarter_);
  }
}

TEST(HeldBudgetTest, CountsWhatChildrenHold) {
  const uint64_t before = HeldBudgetLimit();
  SetHeldBudget(1000);
  EXPECT_EQ(HeldBudgetLimit(), 1000u);
  const auto server = memory::MakeChildOfProcessBudget("server", 0, "ServerBuilder::SetHeldBudgetBytes");
  const auto channel = memory::MakeChildOfProcessBudget("channel", 10, "ChannelOptions::held_budget_bytes");
  {
    const auto held = server->TryReserve(900, "/pkg.Service/Method");
    ASSERT_TRUE(held.has_value());
    EXPECT_EQ(HeldBytes(), 900u);
    ASSERT_EQ(Holders().size(), 1u);
    EXPECT_THAT(Holders()[0].ToString(), ::testing::MatchesRegex("900 bytes held [0-9]+ s by /pkg.Service/Method"));
  }
  EXPECT_EQ(HeldBytes(), 0u);
  EXPECT_EQ(server->Reserve(1001, "x", [](memory::Reservation) {}).status().message(),
            "cannot hold 1001 bytes: the limit of the process's held budget is 1000 bytes; raise it with "
            "pagewire::SetHeldBudget or PAGEWIRE_HELD_BUDGET");
  EXPECT_EQ(channel->Reserve(11, "x", [](memory::Reservation) {}).status().message(),
            "cannot hold 11 bytes: the limit of the channel's held budget is 10 bytes; raise it with "
            "ChannelOptions::held_budget_bytes");
  SetHeldBudget(before);
}

TEST(HeldBudgetTest, ConnectionCreditIsBesideIt) {
  const uint64_t before = HeldBytes();
  const auto credit = memory::ConnectionCreditBudget().TryReserve(1, "connection credit");
  EXPECT_TRUE(credit.has_value());
  EXPECT_EQ(HeldBytes(), before);
}

TEST(HolderTest, SaysItInASentence) {
  const absl::Time since = absl::FromUnixSeconds(1000);
  const Holder holder = {"/pkg.Service/Method", 1048576, since};
  EXPECT_EQ(holder.ToString(since + absl::Milliseconds(42900)), "1048576 bytes held 42 s by /pkg.Service/Method");
}

}  // namespace
}  // namespace pagewire
