// How a server is set up. Names and order are gRPC's.
#pragma once

#include <pagewire/credentials.h>
#include <pagewire/executor.h>
#include <pagewire/generic_service.h>
#include <pagewire/interceptor.h>
#include <pagewire/method_limits.h>
#include <pagewire/paths.h>
#include <pagewire/server.h>
#include <pagewire/service.h>

#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace pagewire {

// Used from one thread, once. Mistakes are collected and reported by BuildAndStart.
class ServerBuilder {
 public:
  ServerBuilder();
  ~ServerBuilder();
  ServerBuilder(const ServerBuilder&) = delete;
  ServerBuilder& operator=(const ServerBuilder&) = delete;

  // Listens on "host:port", "[::1]:port" or "unix:/path"; port 0 takes a free one. BuildAndStart stores the port in
  // `*selected_port` (if not null), which must live until then. May be called several times.
  ServerBuilder& AddListeningPort(std::string_view address, std::shared_ptr<ServerCredentials> credentials,
                                  int* selected_port = nullptr);

  // Serves the methods of `service`, which must outlive the server. Handlers may run concurrently. Two services of one
  // name are an error.
  ServerBuilder& RegisterService(Service* service);

  // The same, and its handlers run on the loops of the library's threads, right where the request has been read, and so
  // does what their streams answer with, which saves the way to the executor and back. Only for handlers of a few
  // microseconds: while one runs, the other connections of its loop wait. They must not block; what would block for the
  // library is FAILED_PRECONDITION there.
  ServerBuilder& RegisterInlineService(Service* service);

  // Serves the methods that no registered service has, instead of UNIMPLEMENTED; a method that a registered service
  // does not override stays UNIMPLEMENTED. A second one is an error.
  ServerBuilder& RegisterGenericService(GenericService* service);
  ServerBuilder& RegisterGenericService(CallbackGenericService* service);

  // Asked about every call before its handler runs, in the order in which they were added.
  ServerBuilder& AddInterceptor(std::shared_ptr<ServerInterceptor> interceptor);

  // Where handlers run. Default: a pool of threads of the server's own that grows as handlers block.
  ServerBuilder& SetExecutor(std::shared_ptr<Executor> executor);

  // Paths for payloads, as in ChannelOptions. BuildAndStart fails with UNIMPLEMENTED for one this version lacks.
  ServerBuilder& SetSendPath(SendPath path);
  ServerBuilder& SetReceivePath(ReceivePath path);

  // The largest request message in bytes; a larger one ends its call with RESOURCE_EXHAUSTED. Default 4 MiB.
  ServerBuilder& SetMaxMessageBytes(uint64_t bytes);

  // The largest request payload in bytes; a larger one ends its call with RESOURCE_EXHAUSTED before its bytes are
  // sent. Of a piecewise payload each piece, up to 256 KiB, counts for itself. Default 0: no limit but the held budget.
  ServerBuilder& SetMaxPayloadBytes(uint64_t bytes);

  // How many bytes of request payloads this server may hold, within the process's held budget
  // (pagewire/held_budget.h). Default 0: no limit of its own.
  ServerBuilder& SetHeldBudgetBytes(uint64_t bytes);

  // How many bytes of request payloads may wait for the server's held budget. A call whose payload would wait behind
  // more is refused with RESOURCE_EXHAUSTED, not started; a connection alone gets eight ninths of the line. What
  // streams and piecewise payloads send once their handler runs waits in any case. Default 0: no limit, every payload
  // waits until its call's deadline.
  ServerBuilder& SetMaxWaitingPayloadBytes(uint64_t bytes);

  // Whether clients may ask for digests (ChannelOptions::payload_digests). Default true.
  ServerBuilder& AllowPayloadDigests(bool allow);

  // The sum of keys and values of one direction's metadata. Default 16 KiB.
  ServerBuilder& SetMaxMetadataBytes(uint64_t bytes);

  // Calls that one connection may have in flight; further ones are refused with RESOURCE_EXHAUSTED, not started.
  // Default 10,000.
  ServerBuilder& SetMaxConcurrentCallsPerConnection(uint32_t calls);

  // Calls that may be in flight on this server; further ones are refused with RESOURCE_EXHAUSTED, not started. The last
  // free places are kept for connections that have few calls: one connection alone gets eight ninths of them. Default
  // 0: no limit.
  ServerBuilder& SetMaxConcurrentCalls(uint32_t calls);

  // Connections that may be open; further ones are closed with RESOURCE_EXHAUSTED, which their clients see as
  // UNAVAILABLE with a message that says so (over TLS they are closed before they could be told), and try again.
  // Default 0: no limit.
  ServerBuilder& SetMaxConnections(uint32_t connections);

  // Limits of one method, by its name: "/package.Service/Method". The last call for a name counts.
  ServerBuilder& SetMethodLimits(std::string_view method, const MethodLimits& limits);

  // After `time` without a sign of a client it is sent a ping, whether it has calls or not; when nothing comes within
  // `timeout` of that, the connection counts as dead and is closed, and its handlers are cancelled. Default: 2 hours
  // and 20 seconds, as in gRPC.
  ServerBuilder& SetKeepalive(absl::Duration time, absl::Duration timeout);

  // A client that sends pings more often than this, beyond a few at once, loses its connection: its calls end with
  // UNAVAILABLE and a message that says so. Default: no such limit; floods of pings are cut off in any case.
  ServerBuilder& SetMinPingInterval(absl::Duration interval);

  // A connection without calls for this long is told to go away and closed. Default: never, as in gRPC.
  ServerBuilder& SetMaxConnectionIdle(absl::Duration idle);

  // Starts to listen and to serve. INVALID_ARGUMENT: an address that cannot be parsed, a null service or interceptor,
  // limits for a method that no service has; ALREADY_EXISTS: a service name twice; FAILED_PRECONDITION: null
  // credentials, or built before; UNAVAILABLE or what the kernel said: an address that cannot be listened on. A server
  // without listening ports is allowed: InProcessChannel reaches it.
  absl::StatusOr<std::unique_ptr<Server>> BuildAndStart();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pagewire
