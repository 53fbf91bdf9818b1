// A client's way to a server.
#pragma once

#include <pagewire/channel_options.h>
#include <pagewire/client_context.h>
#include <pagewire/connectivity_state.h>
#include <pagewire/credentials.h>
#include <pagewire/internal/raw_message.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pagewire {

namespace internal {
struct ChannelAccess;
}  // namespace internal

// Thread-safe; share one channel between all stubs and threads that talk to the same server. It connects when the
// first call needs it and again after a connection was lost. When the last reference goes, calls in flight end with
// CANCELLED. Payloads received through it stay valid.
class Channel {
 public:
  virtual ~Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // `try_to_connect`: begins to connect if the channel is IDLE, as a call would.
  virtual ConnectivityState GetState(bool try_to_connect) = 0;

  // Blocks until the state is another than `last_observed`; false when `deadline` passed before. Not on the library's
  // loop threads.
  virtual bool WaitForStateChange(ConnectivityState last_observed, absl::Time deadline) = 0;

  // Runs `callback` once with the state, on DefaultExecutor(), as soon as that is another than `last_observed`: at the
  // latest, with SHUTDOWN, when the channel is destroyed.
  virtual void OnStateChange(ConnectivityState last_observed, absl::AnyInvocable<void(ConnectivityState)> callback) = 0;

  // Connects, and blocks until the channel is READY, through failed attempts if need be; false when `deadline` passed
  // before. Not on the library's loop threads.
  bool WaitForConnected(absl::Time deadline);

 protected:
  Channel() = default;

 private:
  friend struct internal::ChannelAccess;
  using RawDone = absl::AnyInvocable<void(absl::StatusOr<internal::RawMessage>)>;

  // `done` runs exactly once, on the executor, never inside this call. A payload may be passed only where `method`
  // has one for its request.
  virtual void StartUnary(const Method& method, ClientContext& context, std::string request, Payload payload,
                          RawDone done) = 0;

  // The same, waiting for the result. FAILED_PRECONDITION on one of the library's loop threads.
  virtual absl::StatusOr<internal::RawMessage> BlockingUnary(const Method& method, ClientContext& context,
                                                             std::string request, Payload payload) = 0;

  // Starts a call of another kind. `first`: the one request, where the method has one. Never null.
  virtual std::unique_ptr<internal::RawClientStream> StartStream(const Method& method, ClientContext& context,
                                                                 std::optional<internal::RawMessage> first) = 0;
};

// Makes a channel; nothing is connected yet and no error is possible here: a malformed target makes each call fail
// with INVALID_ARGUMENT, null credentials with FAILED_PRECONDITION.
//
// Targets: "ipv4:127.0.0.1:7070", "ipv6:[::1]:7070", either with several addresses and commas between them,
// "unix:/path", "dns:///host:port", and "host:port", which means dns. Names are resolved by getaddrinfo when
// connecting; the addresses are tried in turn.
std::shared_ptr<Channel> CreateChannel(std::string_view target, std::shared_ptr<ChannelCredentials> credentials);
std::shared_ptr<Channel> CreateCustomChannel(std::string_view target, std::shared_ptr<ChannelCredentials> credentials,
                                             const ChannelOptions& options);

}  // namespace pagewire
