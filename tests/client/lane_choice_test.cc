#include "client/lane_choice.h"

#include <gtest/gtest.h>

namespace pagewire::client {
namespace {

constexpr auto kIdle = ConnectivityState::kIdle;
constexpr auto kReady = ConnectivityState::kReady;
constexpr auto kFailing = ConnectivityState::kTransientFailure;

TEST(LaneChoiceTest, OneLaneIsForEverything) {
  for (const auto state : {kIdle, kReady, kFailing}) {
    EXPECT_EQ(ChooseLane({{state, 7}}, false), 0u);
    EXPECT_EQ(ChooseLane({{state, 7}}, true), 0u);
  }
}

TEST(LaneChoiceTest, BulkIsApartWhateverTheLoad) {
  EXPECT_EQ(ChooseLane({{kReady, 100}, {kIdle, 0}}, false), 0u);
  EXPECT_EQ(ChooseLane({{kReady, 0}, {kReady, 100}}, true), 1u);
  EXPECT_EQ(ChooseLane({{kReady, 0}, {kReady, 3}, {kReady, 2}, {kReady, 2}}, true), 2u);
}

TEST(LaneChoiceTest, ALaneConnectsWhenTheConnectedOnesHaveCalls) {
  EXPECT_EQ(ChooseLane({{kReady, 0}, {kIdle, 0}, {kReady, 0}}, true), 2u) << "a connected one that is free";
  EXPECT_EQ(ChooseLane({{kReady, 0}, {kReady, 1}, {kIdle, 0}}, true), 2u) << "none is free";
}

TEST(LaneChoiceTest, AFailingLaneIsPassedOver) {
  EXPECT_EQ(ChooseLane({{kReady, 9}, {kFailing, 0}, {kReady, 9}}, true), 2u);
  EXPECT_EQ(ChooseLane({{kReady, 9}, {kFailing, 0}, {kFailing, 0}}, true), 0u) << "before a lane that fails";
  EXPECT_EQ(ChooseLane({{kFailing, 0}, {kReady, 5}, {kReady, 4}}, false), 2u);
  EXPECT_EQ(ChooseLane({{kFailing, 0}, {kFailing, 3}, {kFailing, 2}}, true), 2u) << "all fail";
}

}  // namespace
}  // namespace pagewire::client
