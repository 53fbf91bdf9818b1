// How a session behaves, and what it allows its peer.
#pragma once

#include <pagewire/paths.h>

#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>

#include "payload/budget.h"
#include "transport/flood_guard.h"
#include "transport/item_limits.h"
#include "transport/keepalive.h"

namespace pagewire::transport {

struct SessionOptions {
  // The side that made the connection starts calls; the other side accepts them.
  bool initiator = false;

  // Which lane of which session this connection is; said by the initiator only. Empty: a session of its own.
  std::string session_id;
  uint32_t lane_id = 0;

  // The number of the server or channel that it belongs to, and what the channel connects to. Not the session's
  // business, but that of who lists it.
  uint64_t owner = 0;
  std::string target;

  // Received payloads are reserved here. Never null.
  std::shared_ptr<memory::Budget> held_budget;

  // Of calls that have none of their own (Session::LimitCall).
  ItemLimits limits = {.max_message_bytes = 4 << 20};
  uint64_t max_metadata_bytes = 16 << 10;

  // The largest that any call allows, where that is more.
  uint64_t most_message_bytes = 0;
  uint64_t most_payload_bytes = 0;
  uint64_t most_metadata_bytes = 0;

  uint32_t max_concurrent_calls = 10'000;

  SendPath send_path = SendPath::kAuto;
  ReceivePath receive_path = ReceivePath::kAuto;

  // Payloads end with a digest, if the peer is ready for it, too.
  bool payload_digests = false;

  // Without calls for this long, the connection is given up. Not the session's business, but that of who has the calls.
  absl::Duration idle_timeout = absl::InfiniteDuration();

  // The peer's preface must have come by then.
  absl::Duration handshake_timeout = absl::Seconds(20);

  KeepaliveOptions keepalive;

  // How many pings the peer may send. A hundred at once is far more than keepalive needs.
  FloodGuard::Limit pings = {"pings", 100, 10, ""};
};

}  // namespace pagewire::transport
