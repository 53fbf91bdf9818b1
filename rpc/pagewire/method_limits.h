// Limits of single methods, where they differ from those of the server or the channel.
#pragma once

#include <cstdint>
#include <optional>

namespace pagewire {

// What is not set is as for the whole server or channel. Each limit has the meaning and the error of the one that it
// replaces, and may be lower or higher: see ServerBuilder::SetMethodLimits and ChannelOptions::method_limits.
struct MethodLimits {
  // Of a message that is received: at a server the request's, on a channel the response's.
  std::optional<uint64_t> max_message_bytes;

  // Of a payload that is received, 0: no limit but the held budget. Of a piecewise payload each piece counts for
  // itself, and a limit below 256 KiB, their size, refuses it.
  std::optional<uint64_t> max_payload_bytes;

  // Of one direction's metadata.
  std::optional<uint64_t> max_metadata_bytes;

  // Calls of this method that the server serves, or the channel has in flight, at a time, in addition to the limit for
  // all its calls. Further ones end with RESOURCE_EXHAUSTED, not started.
  std::optional<uint32_t> max_concurrent_calls;
};

}  // namespace pagewire
