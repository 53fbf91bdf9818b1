// What a client may ask of its channel.
#pragma once

#include <pagewire/interceptor.h>
#include <pagewire/method_limits.h>
#include <pagewire/paths.h>

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pagewire {

struct ChannelOptions {
  // Paths for payloads; kAuto lets the library choose. The environment's PAGEWIRE_SEND_PATH and PAGEWIRE_RECEIVE_PATH
  // apply where these are kAuto. A path that this version does not have fails each call with UNIMPLEMENTED.
  SendPath send_path = SendPath::kAuto;
  ReceivePath receive_path = ReceivePath::kAuto;

  // The largest response message in bytes; a larger one ends the call with RESOURCE_EXHAUSTED. 4 MiB, as in gRPC.
  uint64_t max_message_bytes = 4u << 20;

  // The largest response payload in bytes; a larger one ends the call with RESOURCE_EXHAUSTED. 0: no limit but the
  // held budget. Of a piecewise payload each piece, up to 256 KiB, counts for itself.
  uint64_t max_payload_bytes = 0;

  // Calls that may be in flight on this channel, those included that wait for a connection; further ones end with
  // RESOURCE_EXHAUSTED, not started. 0: no limit but the server's.
  uint32_t max_concurrent_calls = 0;

  // Limits of single methods, by their names: "/package.Service/Method".
  std::map<std::string, MethodLimits> method_limits;

  // How many bytes of response payloads this channel's calls may hold together, within the process's held budget
  // (pagewire/held_budget.h). 0: no limit of its own.
  uint64_t held_budget_bytes = 0;

  // The sum of keys and values of one direction's metadata. 16 KiB: twice gRPC's default, room for a token.
  uint64_t max_metadata_bytes = 16u << 10;

  // Asked about every call, in this order.
  std::vector<std::shared_ptr<ClientInterceptor>> interceptors;

  // How long one attempt to connect may take, including the exchange of prefaces.
  absl::Duration connect_timeout = absl::Seconds(20);

  // After a failed attempt, calls fail at once with UNAVAILABLE until the next attempt is due; the wait grows from the
  // first to the second value by 1.6 with 20 % jitter (gRPC's connection backoff).
  absl::Duration initial_backoff = absl::Seconds(1);
  absl::Duration max_backoff = absl::Seconds(120);

  // After `keepalive_time` without a sign of the server it is sent a ping; when nothing comes within
  // `keepalive_timeout` of that, the connection counts as dead and its calls end with UNAVAILABLE. Only while there are
  // calls, unless keepalive_without_calls. Default: never, as in gRPC. At least as long as the server's
  // SetMinPingInterval; shorter than a millisecond is taken as a millisecond.
  absl::Duration keepalive_time = absl::InfiniteDuration();
  absl::Duration keepalive_timeout = absl::Seconds(20);
  bool keepalive_without_calls = false;

  // A connection without calls for this long is closed, and made again when it is needed. 30 minutes, as in gRPC.
  absl::Duration idle_timeout = absl::Minutes(30);
};

}  // namespace pagewire
