// Notices that a peer is gone although nothing was closed: asks it when it has been silent.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>

#include "transport/loop.h"

namespace pagewire::transport {

struct KeepaliveOptions {
  absl::Duration time = absl::InfiniteDuration();  // of silence, before the peer is asked
  absl::Duration timeout = absl::Seconds(20);      // of silence after that, before it counts as gone
  bool without_calls = false;                      // ask, too, while no call is open
};

// Lives on its connection's loop; every function is called there.
class Keepalive {
 public:
  struct Connection {
    absl::AnyInvocable<void(uint64_t id)> send_ping;
    absl::AnyInvocable<bool() const> has_calls;
    absl::AnyInvocable<void(absl::Status)> fail;  // UNAVAILABLE
  };

  // `loop` outlives it.
  Keepalive(Loop& loop, const KeepaliveOptions& options, Connection connection);
  ~Keepalive();
  Keepalive(const Keepalive&) = delete;
  Keepalive& operator=(const Keepalive&) = delete;

  void Start();

  // Anything at all came from the peer.
  void OnReceived() {
    last_received_ = loop_.Now();
    if (asked_) OnAnswered();
  }

 private:
  void WatchFor(absl::Duration delay);
  void OnSilence();
  void OnAnswered();
  void OnTimeout();

  Loop& loop_;
  const KeepaliveOptions options_;
  Connection connection_;
  absl::Time last_received_;
  bool asked_ = false;
  uint64_t last_ping_ = 0;
  Loop::TimerId timer_ = 0;
};

}  // namespace pagewire::transport
