#include "client/connectivity.h"

#include <gtest/gtest.h>

#include "base/latch.h"

namespace pagewire::client {
namespace {

using enum ConnectivityState;

TEST(ConnectivityOfLanesTest, TheLaneThatCanDoMostSpeaksForTheChannel) {
  Connectivity connectivity;
  const uint64_t lanes[] = {connectivity.Add(), connectivity.Add(), connectivity.Add()};
  EXPECT_EQ(connectivity.state(), kIdle);
  connectivity.Set(lanes[1], kTransientFailure);
  EXPECT_EQ(connectivity.state(), kTransientFailure) << "idle lanes say nothing";
  connectivity.Set(lanes[2], kConnecting);
  EXPECT_EQ(connectivity.state(), kConnecting);
  connectivity.Set(lanes[0], kReady);
  EXPECT_EQ(connectivity.state(), kReady);
  connectivity.Set(lanes[2], kTransientFailure);
  EXPECT_EQ(connectivity.state(), kReady);
  connectivity.Set(lanes[0], kIdle);
  EXPECT_EQ(connectivity.state(), kTransientFailure);
  connectivity.Set(lanes[2], kShutdown);
  EXPECT_EQ(connectivity.state(), kShutdown);
}

TEST(ConnectivityOfLanesTest, WatchersAreToldOfTheChannelAndNotOfItsLanes) {
  Connectivity connectivity;
  const uint64_t lanes[] = {connectivity.Add(), connectivity.Add()};
  connectivity.Set(lanes[0], kReady);
  testing::Latch told;
  ConnectivityState seen = kReady;
  connectivity.OnChange(kReady, [&](ConnectivityState state) {
    seen = state;
    told.CountDown();
  });
  connectivity.Set(lanes[1], kConnecting);
  connectivity.Set(lanes[1], kReady);
  connectivity.Set(lanes[0], kIdle);
  EXPECT_FALSE(connectivity.WaitForChange(kReady, absl::InfinitePast()));
  connectivity.Set(lanes[1], kTransientFailure);
  told.Wait();
  EXPECT_EQ(seen, kTransientFailure);
}

}  // namespace
}  // namespace pagewire::client
