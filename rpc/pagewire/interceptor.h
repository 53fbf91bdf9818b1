// What looks at every call of a channel or a server: for tracing, metrics, authentication, quotas.
#pragma once

#include <pagewire/method.h>
#include <pagewire/transfer_totals.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace pagewire {

class ClientContext;
class ServerContext;

// Messages that went one way since their observer was last told; mostly one.
struct MessageTraffic {
  uint64_t messages = 0;
  uint64_t message_bytes = 0;  // serialized
  uint64_t payload_bytes = 0;  // beside them
};

// Watches one call. Its functions run on DefaultExecutor(), one at a time, soon after what they tell; the call does not
// wait for them. One that is slow is told of several messages together.
class CallObserver {
 public:
  virtual ~CallObserver() = default;

  virtual void OnSent(const MessageTraffic&) {}
  virtual void OnReceived(const MessageTraffic&) {}

  // What happened to payloads: to received ones once they are complete, to sent ones once the peer has said what it
  // did with them. Only what is known when the call ends: all of it at a client whose call ends with OK; at a server
  // not the last payloads that it sent, of which the client speaks after the handler is done.
  virtual void OnPayloadsSent(const TransferTotals&) {}
  virtual void OnPayloadsReceived(const TransferTotals&) {}

  // At a client, once, before OnEnd: the server that the call was sent to, as ClientContext::peer. Not for a call that
  // was sent to none.
  virtual void OnPeer(std::string_view) {}

  // Last, once, before it is destroyed: the call's status at a client, what the handler ended with at a server.
  virtual void OnEnd(const absl::Status&) {}
};

// See ChannelOptions::interceptors. Thread-safe.
class ClientInterceptor {
 public:
  virtual ~ClientInterceptor() = default;

  // A call is about to be made, on the thread that makes it. May set up `context` further: metadata, deadline. Gives
  // who watches the call, null for nobody; or the status that ends it, of which neither the interceptors behind this
  // one nor the server hear.
  virtual absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method& method, ClientContext& context) = 0;
};

// See ServerBuilder::AddInterceptor. Thread-safe.
class ServerInterceptor {
 public:
  virtual ~ServerInterceptor() = default;

  // A handler is about to run, on the thread that will run it. May add to the answer's metadata. Gives who watches the
  // call, null for nobody; or the status that ends it, of which neither the interceptors behind this one nor the
  // handler hear. Calls that the server refuses by itself (unknown methods, limits) come to no interceptor.
  virtual absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method& method, ServerContext& context) = 0;
};

}  // namespace pagewire
