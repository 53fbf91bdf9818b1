#include "transport/send_credit.h"

#include <gtest/gtest.h>

namespace pagewire::transport {
namespace {

TEST(SendCreditTest, AnItemIsTakenWholeOrNotAtAll) {
  SendCredit credit(100, 60);
  EXPECT_FALSE(credit.TryTake(1, 61)) << "more than its call may send";
  EXPECT_TRUE(credit.TryTake(1, 60));
  EXPECT_FALSE(credit.TryTake(1, 1));
  EXPECT_FALSE(credit.TryTake(2, 41)) << "more than is left on the connection";
  EXPECT_TRUE(credit.TryTake(2, 40));
  EXPECT_EQ(credit.connection_available(), 0u);
  EXPECT_TRUE(credit.TryTake(3, 0)) << "nothing needs no credit";
}

TEST(SendCreditTest, AGrantByNameIsForItsItemAlone) {
  SendCredit credit(100, 60);
  credit.Wait(1, 500);
  EXPECT_FALSE(credit.TryTake(1, 1)) << "nothing of a call overtakes its item that waits";
  EXPECT_TRUE(credit.OnGrant(600, 1, 500));
  EXPECT_EQ(credit.connection_available(), 100u);
  EXPECT_TRUE(credit.TryTake(2, 60));
}

TEST(SendCreditTest, CreditOfTheConnectionAloneStartsNothingThatWaits) {
  SendCredit credit(100, 1000);
  credit.Wait(1, 500);
  EXPECT_FALSE(credit.OnGrant(5000, 0, 0));
  EXPECT_EQ(credit.connection_available(), 5000u);
  EXPECT_FALSE(credit.TryTake(1, 1));
}

TEST(SendCreditTest, AGrantThatIsRepeatedStartsNoOtherItem) {
  SendCredit credit(100, 60);
  credit.Wait(1, 500);
  ASSERT_TRUE(credit.OnGrant(600, 1, 560));
  credit.Wait(1, 50);  // its next item, which the receiver has not granted
  EXPECT_FALSE(credit.OnGrant(600, 1, 560));
  EXPECT_EQ(credit.connection_available(), 100u);
  EXPECT_TRUE(credit.OnGrant(650, 1, 610));
}

TEST(SendCreditTest, AGrantForAnItemThatWasWithdrawnIsSpent) {
  SendCredit credit(100, 60);
  credit.Wait(1, 500);
  credit.StopWaiting(1);
  EXPECT_FALSE(credit.OnGrant(600, 1, 500));
  EXPECT_EQ(credit.connection_available(), 100u);
  EXPECT_FALSE(credit.TryTake(1, 1));
  credit.Forget(1);
  EXPECT_FALSE(credit.OnGrant(700, 1, 600)) << "for a call that is over, too";
  EXPECT_EQ(credit.connection_available(), 100u);
}

TEST(SendCreditTest, AGrantThatDoesNotCoverItsItemStartsNothing) {
  SendCredit credit(100, 60);
  credit.Wait(1, 500);
  EXPECT_FALSE(credit.OnGrant(700, 1, 400)) << "the call's limit is too low";
  EXPECT_TRUE(credit.OnGrant(701, 1, 500));
  credit.Wait(2, 500);
  EXPECT_FALSE(credit.OnGrant(702, 2, 500)) << "the connection's limit is too low";
  EXPECT_TRUE(credit.OnGrant(1000, 2, 500));
}

// A peer may say anything; what it says must not turn into credit out of nothing.
TEST(SendCreditTest, AContradictoryGrantIsNoCreditForTheCall) {
  SendCredit credit(100, 60);
  ASSERT_TRUE(credit.TryTake(1, 60));
  EXPECT_FALSE(credit.OnGrant(1'000'000, 1, 10));
  EXPECT_FALSE(credit.TryTake(1, 1));
  EXPECT_EQ(credit.connection_available(), 40u);
}

TEST(SendCreditTest, ThePrefaceOnlyRaises) {
  SendCredit credit(100, 60);
  ASSERT_TRUE(credit.TryTake(1, 60));
  credit.RaiseInitial(50, 20);
  EXPECT_EQ(credit.connection_limit(), 100u);
  credit.RaiseInitial(400, 90);
  EXPECT_EQ(credit.connection_available(), 340u);
  EXPECT_TRUE(credit.TryTake(1, 30));
  EXPECT_FALSE(credit.TryTake(1, 1));
}

}  // namespace
}  // namespace pagewire::transport
