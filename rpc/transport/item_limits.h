// How large the messages and payloads of a call may be that a peer sends.
#pragma once

#include <cstdint>
#include <string>

namespace pagewire::transport {

struct ItemLimits {
  uint64_t max_message_bytes = 0;
  uint64_t max_payload_bytes = 0;  // 0: the budget's limit alone

  // What a user raises when an item is too large, e.g. "ServerBuilder::SetMaxMessageBytes".
  std::string message_option = {};
  std::string payload_option = {};
};

}  // namespace pagewire::transport
