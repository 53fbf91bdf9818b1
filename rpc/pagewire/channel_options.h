// What a client may ask of its channel.
#pragma once

#include <pagewire/call_credentials.h>
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

  // How many connections the channel may have to its server, its lanes; 1 to 64. With several, calls of methods without
  // payloads share the first and do not wait behind bulk; calls of methods with payloads (pagewire.payload) share the
  // others, each call on the one that has fewest. A lane connects when it is needed first; while those for a call
  // cannot connect, it is given to another, and once it is given to one it stays there. Each counts at the server's
  // SetMaxConnections.
  uint32_t connections_per_peer = 1;

  // `done` of calls, and of what is done on their streams, in the callback form runs on the loops of the library's
  // threads, and what awaits them in the coroutine form goes on there, which saves the way to the executor and back,
  // for a stream once with every message. Only for what takes a few microseconds: while it runs, the other connections
  // of its loop wait. It must not block; what would block for the library is FAILED_PRECONDITION there. The client's
  // half of ServerBuilder::RegisterInlineService. Calls that fail before they reach a connection still complete on the
  // executor.
  bool inline_completions = false;

  // Every payload, in both directions, ends with an XXH3-128 digest that its sender computes from the memory it was
  // frozen in and its receiver from the memory it hands out; where they differ the call ends with DATA_LOSS. Finds what
  // TCP's checksum, and everything between the two, lets pass; costs a reading of the bytes on each side. Not if the
  // server forbids it (ServerBuilder::AllowPayloadDigests): see TransferReport::digest.
  bool payload_digests = false;

  // How calls are made, as JSON: what is said below of gRPC's service config (grpc/doc/service_config.md); an unknown
  // field makes each call fail with INVALID_ARGUMENT. A resolver that brings one of its own replaces it.
  //   loadBalancingConfig: [{"pick_first": {}}], the default: all calls go to the first address that answers.
  //     "round_robin": each call goes to the next address that is connected. "least_loaded": to the one that has the
  //     fewest bytes of requests to do. While none is connected, calls go to the first that answers.
  //   methodConfig: for each {"name": [{"service": "package.Service", "method": "Method"}]}: "timeout" ("1.5s"),
  //     "waitForReady", and "retryPolicy" {"maxAttempts", "initialBackoff", "maxBackoff", "backoffMultiplier",
  //     "retryableStatusCodes"}. What may have been started is made again only if the method's definition says
  //     `option idempotency_level = IDEMPOTENT` (or NO_SIDE_EFFECTS). Streams, methods whose payloads travel piecewise,
  //     and calls with ClientContext::OnPeerReceived or OnPeerReleased are made once.
  //   retryThrottling: {"maxTokens", "tokenRatio"}: the budget of retries, for the channel.
  // Without any policy, a call that certainly was not started goes on to another connected server at once, if there is
  // one. Deadlines hold for all attempts together.
  std::string service_config;

  // Limits of single methods, by their names: "/package.Service/Method".
  std::map<std::string, MethodLimits> method_limits;

  // How many bytes of response payloads this channel's calls may hold together, within the process's held budget
  // (pagewire/held_budget.h). 0: no limit of its own.
  uint64_t held_budget_bytes = 0;

  // The sum of keys and values of one direction's metadata. 16 KiB: twice gRPC's default, room for a token.
  uint64_t max_metadata_bytes = 16u << 10;

  // Asked about every call, in this order.
  std::vector<std::shared_ptr<ClientInterceptor>> interceptors;

  // Asked for metadata of every call, behind the interceptors; null: nobody. See pagewire/call_credentials.h.
  std::shared_ptr<CallCredentials> call_credentials;

  // Sends what call credentials give over connections without TLS, too: TCP, where everybody on the way can read and
  // use it, and Unix sockets. By default such calls end with UNAUTHENTICATED.
  bool allow_call_credentials_on_plain_connections = false;

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
