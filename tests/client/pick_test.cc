#include "client/pick.h"

#include <gtest/gtest.h>

namespace pagewire::client {
namespace {

constexpr auto kReady = ConnectivityState::kReady;
constexpr auto kIdle = ConnectivityState::kIdle;
constexpr auto kFailing = ConnectivityState::kTransientFailure;

TEST(PickPeer, InTurn) {
  const std::vector<PeerView> peers = {{kReady}, {kReady}, {kReady}};
  for (uint64_t turn = 0; turn < 9; ++turn) EXPECT_EQ(PickPeer(peers, turn, false), turn % 3);
}

TEST(PickPeer, OnlyTheReadyOnes) {
  const std::vector<PeerView> peers = {{kFailing}, {kReady}, {kIdle}};
  for (uint64_t turn = 0; turn < 9; ++turn) EXPECT_EQ(PickPeer(peers, turn, false), 1u);
  EXPECT_EQ(PickPeer({{kFailing}, {kIdle}, {ConnectivityState::kConnecting}}, 0, false), std::nullopt);
  EXPECT_EQ(PickPeer({}, 7, true), std::nullopt);
}

TEST(PickPeer, LeastLoadFirstThenInTurn) {
  EXPECT_EQ(PickPeer({{kReady, 5}, {kReady, 3}, {kReady, 4}}, 0, true), 1u);
  EXPECT_EQ(PickPeer({{kIdle, 0}, {kReady, 3}, {kReady, 4}}, 2, true), 1u);
  const std::vector<PeerView> equal = {{kReady, 1}, {kReady, 1}, {kReady, 2}};
  EXPECT_EQ(PickPeer(equal, 0, true), 0u);
  EXPECT_EQ(PickPeer(equal, 1, true), 1u);
  EXPECT_EQ(PickPeer(equal, 2, true), 0u);
}

}  // namespace
}  // namespace pagewire::client
