// What a handler knows about the call it serves, and may add to the answer.
#pragma once

#include <pagewire/metadata.h>
#include <pagewire/peer_identity.h>
#include <pagewire/transfer_report.h>

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>

namespace pagewire {

namespace internal {
class ServerCallState;
struct ServerContextAccess;
}  // namespace internal

// Valid until the handler is done: has returned, has called `done`, or its task has ended. Any thread.
class ServerContext {
 public:
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  // "/package.Service/Method".
  std::string_view method() const;

  // What the client sent.
  const Metadata& client_metadata() const;

  // When the client stops waiting; absl::InfiniteFuture() if it did not say.
  absl::Time deadline() const;

  // True once nobody waits for the answer any more: the client cancelled or went away, the deadline passed, or the
  // server is shutting down. The handler may return anything then; it is discarded.
  bool IsCancelled() const;

  // Runs `callback` once, on DefaultExecutor(), when that happens, at once if it has. Never after a call that ended
  // otherwise; what the callback refers to must live as long as itself. Any thread.
  void OnCancelled(absl::AnyInvocable<void()> callback);

  // Adds pairs to the answer's metadata; see pagewire/metadata.h for what is allowed. Invalid ones make the call fail
  // with INTERNAL and a message that names the key.
  void AddInitialMetadata(std::string_view key, std::string_view value);
  void AddTrailingMetadata(std::string_view key, std::string_view value);

  // Adds a pair to the metadata of calls that are made on behalf of this one, with a context that
  // ClientContext::FromServerContext makes from now on: for interceptors that hand something on, such as a trace. A
  // pair that is not allowed fails those calls, as ClientContext::AddMetadata says.
  void AddDownstreamMetadata(std::string_view key, std::string_view value);

  // A copy of what has been added.
  Metadata downstream_metadata() const;

  // The client's address, as "ipv4:127.0.0.1:49152".
  const std::string& peer() const;

  // Who the client has proven to be: by a certificate over TLS, by the kernel over a Unix socket. Empty over plain TCP.
  const PeerIdentity& peer_identity() const;

  // What happened to the request's payload (`received`). The response's is known only after the handler.
  const CallTransferReport& transfer_report() const;

 private:
  friend struct internal::ServerContextAccess;
  explicit ServerContext(std::shared_ptr<internal::ServerCallState> state);
  ~ServerContext();
  std::shared_ptr<internal::ServerCallState> state_;
};

}  // namespace pagewire
