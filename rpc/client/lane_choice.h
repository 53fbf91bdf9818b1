// Which of a channel's lanes takes a call: a pure function.
#pragma once

#include <pagewire/connectivity_state.h>

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace pagewire::client {

inline constexpr uint32_t kMaxLanes = 64;

// What is known of a lane when a call is made.
struct LaneView {
  ConnectivityState state = ConnectivityState::kIdle;
  uint32_t calls = 0;  // given to it and not ended
};

// Lane 0 is for calls, the others for `bulk`; with one lane it is for both. Among those for a call the one with fewest
// calls, a connected one first; a lane that cannot connect only if none can, and one that is for others before that.
// `lanes` is not empty.
inline size_t ChooseLane(const std::vector<LaneView>& lanes, bool bulk) {
  const auto drawbacks = [&](size_t lane) {
    const ConnectivityState state = lanes[lane].state;
    return std::make_tuple(state == ConnectivityState::kTransientFailure, lanes.size() > 1 && (lane != 0) != bulk,
                           lanes[lane].calls, state != ConnectivityState::kReady);
  };
  size_t best = 0;
  for (size_t lane = 1; lane < lanes.size(); ++lane) {
    if (drawbacks(lane) < drawbacks(best)) best = lane;
  }
  return best;
}

}  // namespace pagewire::client
