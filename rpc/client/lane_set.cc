#include "client/lane_set.h"

#include <algorithm>

#include "client/connectivity.h"
#include "client/lane_choice.h"
#include "transport/loop.h"

namespace pagewire::client {

LaneSet::Choice LaneSet::ForCall(bool bulk) const {
  if (lanes_.size() == 1) return {lanes_.front(), nullptr};
  std::vector<LaneView> views;
  views.reserve(lanes_.size());
  for (const auto& lane : lanes_) views.push_back({lane->state(), lane->calls()});
  const std::shared_ptr<Lane>& lane = lanes_[ChooseLane(views, bulk)];
  return {lane, lane->Occupy()};
}

ConnectivityState LaneSet::state() const {
  ConnectivityState best = lanes_.front()->state();
  for (const auto& lane : lanes_) best = std::max(best, lane->state(), LessAble);
  return best;
}

void LaneSet::Retire() const {
  for (const auto& lane : lanes_) {
    lane->loop().Post([lane] { lane->Retire(); });
  }
}

void LaneSet::TryToConnect() const {
  for (const auto& lane : lanes_) {
    lane->loop().Post([lane] { lane->TryToConnect(); });
  }
}

void LaneSet::Shutdown() const {
  for (const auto& lane : lanes_) {
    lane->loop().Post([lane] { lane->Shutdown(); });
  }
}

}  // namespace pagewire::client
