// How a session behaves, and what it allows its peer.
#pragma once

#include <pagewire/paths.h>

#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>

#include "payload/budget.h"

namespace pagewire::transport {

struct SessionOptions {
  // The side that made the connection starts calls; the other side accepts them.
  bool initiator = false;

  // Received payloads are reserved here. Never null.
  std::shared_ptr<memory::Budget> held_budget;

  uint64_t max_message_bytes = 4 << 20;
  uint64_t max_payload_bytes = 0;  // 0: the held budget's limit alone
  uint64_t max_metadata_bytes = 16 << 10;
  uint32_t max_concurrent_calls = 10'000;

  SendPath send_path = SendPath::kAuto;
  ReceivePath receive_path = ReceivePath::kAuto;

  // The peer's preface must have come by then.
  absl::Duration handshake_timeout = absl::Seconds(20);

  // The options' names for messages that tell a user what to raise.
  std::string message_option;
  std::string payload_option;
};

}  // namespace pagewire::transport
