// The lanes of one channel, and which of them takes a call.
#pragma once

#include <memory>
#include <vector>

#include "call/admission.h"
#include "client/lane.h"

namespace pagewire::client {

// Thread-safe.
class LaneSet {
 public:
  // At least one lane.
  explicit LaneSet(std::vector<std::shared_ptr<Lane>> lanes) : lanes_(std::move(lanes)) {}
  LaneSet(const LaneSet&) = delete;
  LaneSet& operator=(const LaneSet&) = delete;

  struct Choice {
    std::shared_ptr<Lane> lane;
    call::Place place;  // to be kept by the call until it has ended; null if there is but one lane
  };
  // For a call that starts now.
  Choice ForCall(bool bulk) const;

  // That of the lane that can do most.
  ConnectivityState state() const;

  // Those that are IDLE.
  void TryToConnect() const;

  // See Lane.
  void Retire() const;

  // Ends every call. No call may be started afterwards.
  void Shutdown() const;

 private:
  const std::vector<std::shared_ptr<Lane>> lanes_;
};

}  // namespace pagewire::client
