// What a client says about one call, and learns from it.
#pragma once

#include <pagewire/call_credentials.h>
#include <pagewire/metadata.h>
#include <pagewire/transfer_report.h>

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace pagewire {

class ServerContext;

namespace internal {
class ClientCallState;
struct ClientContextAccess;
}  // namespace internal

// One context serves one call: a second call with it fails with FAILED_PRECONDITION. It must outlive the call, that
// is, until a blocking call returns or a callback has begun to run; destroying it earlier cancels the call.
//
// Threads: set it up from one thread before the call. TryCancel may be called at any time from any thread. The results
// (metadata, transfer report, peer) may be read from any thread once the call has ended.
class ClientContext {
 public:
  ClientContext();
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // The call ends with DEADLINE_EXCEEDED when `deadline` passes before it is done. A deadline in the past fails the
  // call at once. Default: absl::InfiniteFuture(), no deadline. The server is told how much time is left, not the
  // clock's value, so the two clocks need not agree.
  void set_deadline(absl::Time deadline);

  // set_deadline(absl::Now() + timeout).
  void set_timeout(absl::Duration timeout);

  absl::Time deadline() const;

  // Adds a pair to the call's metadata; see pagewire/metadata.h for what is allowed. An invalid key or value fails the
  // call with INVALID_ARGUMENT before anything is sent.
  void AddMetadata(std::string_view key, std::string_view value);

  // Takes back what was added under that key. An invalid pair fails the call all the same.
  void RemoveMetadata(std::string_view key);

  // What has been added. Only before the call, which takes it; interceptors are asked before that.
  const Metadata& metadata() const;

  // Asked for metadata that is sent besides, after the channel's (ChannelOptions::call_credentials); null: nobody. See
  // there for where they are refused. Calls that are made with FromServerContext do not inherit them.
  void set_credentials(std::shared_ptr<CallCredentials> credentials);

  // Before a call whose request has a payload: `callback` runs once, on DefaultExecutor(), with true as soon as
  //   - OnPeerReceived: the server's transport has consumed all of the payload, delivered or discarded;
  //   - OnPeerReleased: the server's application has dropped its last handle on the payload, as when the data is stored
  //     elsewhere; told with a delay of up to 10 ms and a round trip. The call has often ended long before.
  // In a stream, and where the payload is written piecewise, that is all of the first Write that has one.
  // With false when that will never be known: the payload was empty or not sent whole, or the connection ended. And of
  // OnPeerReleased as soon as it is known that the application never gets the payload, as when the call is refused. A
  // context that is destroyed does not take the callback with it, so what it refers to must stay until it has run. Only
  // the last callback set of each kind counts.
  void OnPeerReceived(absl::AnyInvocable<void(bool)> callback);
  void OnPeerReleased(absl::AnyInvocable<void(bool)> callback);

  // When no connection can be made, wait for one until the deadline instead of failing with UNAVAILABLE. A connection
  // counts when the server has answered on it. (Other calls are sent before, which saves them a round trip.)
  void set_wait_for_ready(bool wait_for_ready);

  // For a call that a handler makes on behalf of the call it serves: a context with that call's deadline, which is
  // cancelled with it, and with what was added by ServerContext::AddDownstreamMetadata. What `context` refers to need
  // not live on. More deadlines may be set; the earliest counts.
  static std::unique_ptr<ClientContext> FromServerContext(const ServerContext& context);

  // Ends the call with CANCELLED as soon as possible, unless it has ended already. Before the call it makes the call
  // fail at once. The server's handler learns of it by ServerContext::IsCancelled.
  void TryCancel();

  // Before the call: TryCancel when a stop is requested of the token's source. Only the last token counts.
  void CancelOn(std::stop_token token);

  // What the server sent. Empty before the call has ended.
  const Metadata& GetServerInitialMetadata() const;
  const Metadata& GetServerTrailingMetadata() const;

  // What happened to the request's and the response's payload: the last one of a stream, the last piece of one that
  // travelled piecewise. Zeros before the call has ended.
  const CallTransferReport& transfer_report() const;

  // The server's address, as "ipv4:127.0.0.1:7070"; empty while there was no connection.
  const std::string& peer() const;

  // True when the call ended with an error and it is certain that the server's handler did not run: such a call may be
  // repeated even if it is not idempotent.
  bool not_started() const;

 private:
  friend struct internal::ClientContextAccess;
  std::shared_ptr<internal::ClientCallState> state_;
};

}  // namespace pagewire
