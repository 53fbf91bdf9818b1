#include "transport/receive_credit.h"

#include <gtest/gtest.h>

namespace pagewire::transport {
namespace {

class ReceiveCreditTest : public ::testing::Test {
 protected:
  memory::Budget budget_{"test", 1 << 20, ""};
  ReceiveCredit credit_{budget_.Overdraw(100, "credit")};
  ReceiveCredit::Call call_{60};
};

TEST_F(ReceiveCreditTest, AnItemLeavesTheFloatWithItsBacking) {
  std::optional<memory::Reservation> backing = credit_.Start(&call_, 60);
  ASSERT_TRUE(backing.has_value());
  EXPECT_EQ(backing->bytes(), 60u);
  EXPECT_EQ(credit_.float_bytes(), 40u);
  EXPECT_EQ(credit_.connection_limit(), 100u);
  EXPECT_EQ(budget_.reserved(), 100u);
  backing.reset();
  EXPECT_EQ(budget_.reserved(), 40u);
}

TEST_F(ReceiveCreditTest, MoreThanACallMayStartIsAViolation) {
  EXPECT_FALSE(credit_.Start(&call_, 61).has_value());
  EXPECT_TRUE(credit_.Start(&call_, 60).has_value());
  EXPECT_FALSE(credit_.Start(&call_, 1).has_value());
}

TEST_F(ReceiveCreditTest, MoreThanTheFloatIsAViolationAlsoForACallThatIsOver) {
  EXPECT_FALSE(credit_.Start(nullptr, 101).has_value());
  EXPECT_FALSE(credit_.Start(nullptr, std::numeric_limits<uint64_t>::max()).has_value());
  EXPECT_TRUE(credit_.Start(nullptr, 100).has_value());
  EXPECT_FALSE(credit_.Start(nullptr, 1).has_value());
  EXPECT_TRUE(credit_.Start(nullptr, 0).has_value());
}

TEST_F(ReceiveCreditTest, RefillingRaisesTheLimitUpToTheTarget) {
  std::optional<memory::Reservation> backing = credit_.Start(&call_, 60);
  credit_.Refill(*std::move(backing), 90);
  EXPECT_EQ(credit_.float_bytes(), 90u);
  EXPECT_EQ(credit_.connection_limit(), 150u);
  EXPECT_EQ(credit_.unannounced(), 50u);
  EXPECT_EQ(budget_.reserved(), 90u) << "what is above the target goes back";
  credit_.SetAnnounced();
  EXPECT_EQ(credit_.unannounced(), 0u);
  credit_.Refill(budget_.Overdraw(1000, "credit"), 90);
  EXPECT_EQ(credit_.float_bytes(), 90u);
  EXPECT_EQ(budget_.reserved(), 90u);
}

TEST_F(ReceiveCreditTest, AGrantRaisesBothLimitsByTheItemAndNoMore) {
  ASSERT_TRUE(credit_.Start(&call_, 50).has_value());
  credit_.Grant(call_, 1000);
  EXPECT_EQ(credit_.connection_limit(), 1100u);
  EXPECT_EQ(credit_.float_bytes(), 50u);
  EXPECT_EQ(call_.limit, 1060u);
  EXPECT_FALSE(credit_.Start(&call_, 11).has_value()) << "the grant is the item's";
  EXPECT_TRUE(credit_.Start(&call_, 10).has_value()) << "and the call keeps what it had";
}

}  // namespace
}  // namespace pagewire::transport
