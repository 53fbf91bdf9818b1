// What a ClientContext holds: the caller's wishes before the call, its results after it.
#pragma once

#include <pagewire/call_credentials.h>
#include <pagewire/client_context.h>
#include <pagewire/metadata.h>
#include <pagewire/transfer_report.h>

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/mutex.h"
#include "call/cancellable.h"
#include "call/client_call.h"
#include "transport/peer_event.h"

namespace pagewire::internal {

class ServerCallState;

class ClientCallState : public std::enable_shared_from_this<ClientCallState> {
 public:
  // Wishes; the caller's thread, before the call.
  absl::Time deadline = absl::InfiniteFuture();
  absl::Time latest_deadline = absl::InfiniteFuture();  // of the call on whose behalf this one is made
  Metadata metadata;
  absl::Status metadata_error;                   // the first invalid pair
  std::shared_ptr<CallCredentials> credentials;  // null: none
  bool wait_for_ready = false;
  bool wait_for_ready_set = false;  // by the caller
  transport::PayloadEvents payload_events;

  // Results; written before the call's completion is told, constant afterwards.
  Metadata initial_metadata;
  Metadata trailing_metadata;
  call::LazyTransfers transfers;
  std::shared_ptr<const std::string> peer;  // null: none
  bool not_started = false;

  // The context serves one call. False when it has been used before.
  bool Claim();

  // Cancels `started` when TryCancel is, or was, called.
  void CancelHere(std::weak_ptr<call::Cancellable> started);
  void Cancel();
  bool cancelled() const;

  // Who else cancels: the call that `parent` belongs to, whose deadline holds here, too; the token's source. Until
  // Unlink, which is called before the context is gone. The caller's thread.
  void LinkTo(const std::shared_ptr<ServerCallState>& parent);
  void CancelOn(std::stop_token token);
  void Unlink();

  // Takes what a context shows out of how a call ended: all but its status. Cancelling has no effect from here on.
  void Take(call::CallOutcome& outcome);

 private:
  struct Stop {
    ClientCallState* state;
    void operator()() const { state->Cancel(); }
  };
  std::weak_ptr<ServerCallState> parent_;
  uint64_t subscription_ = 0;
  std::optional<std::stop_callback<Stop>> stop_;

  mutable base::Mutex mutex_;
  bool claimed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::weak_ptr<call::Cancellable> started_ ABSL_GUARDED_BY(mutex_);
};

struct ClientContextAccess {
  static const std::shared_ptr<ClientCallState>& State(ClientContext& context) { return context.state_; }
};

}  // namespace pagewire::internal
