// Which of several servers takes a call: a pure function.
#pragma once

#include <pagewire/connectivity_state.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pagewire::client {

// What is known of a server when a call is made.
struct PeerView {
  ConnectivityState state = ConnectivityState::kIdle;
  uint64_t load = 0;  // bytes of requests that it has and has not answered
};

// Of those that are READY the next one from `turn` on, or the one with the least load and of equal ones the next.
// Nullopt when none is READY.
inline std::optional<size_t> PickPeer(const std::vector<PeerView>& peers, uint64_t turn, bool by_load) {
  std::optional<size_t> best;
  for (size_t i = 0; i < peers.size(); ++i) {
    const size_t peer = (turn + i) % peers.size();
    if (peers[peer].state != ConnectivityState::kReady) continue;
    if (!by_load) return peer;
    if (!best.has_value() || peers[peer].load < peers[*best].load) best = peer;
  }
  return best;
}

}  // namespace pagewire::client
