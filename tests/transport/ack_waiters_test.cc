#include "transport/ack_waiters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pagewire::transport::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AckWaitersTest : public ::testing::Test {
 protected:
  PeerEvent Say(std::string what) {
    return PeerEvent([this, what = std::move(what)](bool happened) { said_.push_back(what + (happened ? "+" : "-")); });
  }

  std::vector<std::string> said_;
  AckWaiters waiters_;
};

TEST_F(AckWaitersTest, EventsAreToldOnceWhenTheyHappen) {
  waiters_.AwaitReceived(100, Say("100 received"));
  waiters_.AwaitReceived(200, Say("200 received"));
  waiters_.AwaitReleased(3, Say("3 released"));
  waiters_.AwaitReleased(4, Say("4 released"));
  waiters_.OnPeerReceived(99);
  EXPECT_THAT(said_, IsEmpty());
  waiters_.OnPeerReceived(150);
  waiters_.OnReceipt(3);
  waiters_.OnReceipt(4);
  waiters_.OnPeerReleased(1, 3);
  waiters_.OnPeerReleased(1, 3);
  EXPECT_THAT(said_, ElementsAre("100 received+", "3 released+"));
  waiters_.AwaitReceived(150, Say("at once"));
  EXPECT_EQ(said_.back(), "at once+");
  said_.clear();
  waiters_.OnDead();
  EXPECT_THAT(said_, ElementsAre("200 received-", "4 released-"));
}

// It was refused, or came too late: nobody should believe that the peer's application has done something with it.
TEST_F(AckWaitersTest, WhatTheApplicationWasNeverGivenItHasNotDropped) {
  waiters_.AwaitReleased(1, Say("1 released"));
  waiters_.AwaitReleased(2, Say("2 released"));
  waiters_.AwaitReleased(3, Say("3 released"));
  waiters_.OnReceipt(2);
  waiters_.OnReceipt(7);
  EXPECT_THAT(said_, IsEmpty());
  waiters_.OnPeerReleased(1, 2);
  EXPECT_THAT(said_, ElementsAre("2 released+", "1 released-"));
  waiters_.OnReceipt(1);
  waiters_.OnPeerReleased(1, 2);
  EXPECT_THAT(said_, SizeIs(2)) << "once";
  waiters_.OnDead();
  EXPECT_EQ(said_.back(), "3 released-");
}

TEST_F(AckWaitersTest, AWaiterMayAddAnother) {
  waiters_.AwaitReceived(1, PeerEvent([this](bool) {
                           said_.push_back("first");
                           waiters_.AwaitReceived(2, Say("second"));
                         }));
  waiters_.OnPeerReceived(1);
  EXPECT_THAT(said_, ElementsAre("first"));
  waiters_.OnPeerReceived(2);
  EXPECT_THAT(said_, ElementsAre("first", "second+"));
}

TEST_F(AckWaitersTest, WhatIsForgottenDidNotHappen) {
  {
    const PeerEvent forgotten = Say("forgotten");
    PeerEvent moved = Say("moved");
    PeerEvent other = std::move(moved);
    EXPECT_FALSE(moved);
    other.Happened();
    EXPECT_FALSE(other);
    EXPECT_THAT(said_, ElementsAre("moved+"));
    PeerEvent replaced = Say("replaced");
    replaced = Say("its successor");
    EXPECT_EQ(said_.back(), "replaced-");
  }
  EXPECT_THAT(said_, ElementsAre("moved+", "replaced-", "its successor-", "forgotten-"));
}

}  // namespace
}  // namespace pagewire::transport::testing
