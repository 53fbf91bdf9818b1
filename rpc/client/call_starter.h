// Starts calls on a channel's lanes, and unary ones again where that is allowed.
#pragma once

#include <pagewire/method.h>
#include <pagewire/payload.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/coarse_clock.h"
#include "base/mutex.h"
#include "call/call_observers.h"
#include "call/client_call.h"
#include "call/directory.h"
#include "call/stream_client_call.h"
#include "call/unary_client_call.h"
#include "client/client_call_state.h"
#include "client/lane.h"
#include "client/peer_set.h"

namespace pagewire::client {

// A unary call, before it is made.
struct UnaryRequest {
  const Method& method;
  std::shared_ptr<internal::ClientCallState> state;
  std::shared_ptr<call::CallObservers> observers;  // null: nobody watches
  std::string message;
  Payload payload;
};

// Thread-safe. Kept by shared_ptr: calls may outlive the channel.
class CallStarter final : public std::enable_shared_from_this<CallStarter>, public call::Inspected {
 public:
  CallStarter(std::shared_ptr<const LaneTerms> terms, std::shared_ptr<PeerSet> peers)
      : terms_(std::move(terms)), peers_(std::move(peers)) {}

  const LaneTerms& terms() const { return *terms_; }
  PeerSet& peers() { return *peers_; }

  // The channel is destroyed: ends every call.
  void Shutdown();

  // Of one direction, in bytes.
  uint64_t MaxMetadataBytes(const Method& method) const;

  // Puts what the service config says of the method into what the caller has not said. The caller's thread, before
  // anything else.
  void Configure(const Method& method, internal::ClientCallState& state) const;

  // `done` runs once, on a loop.
  void StartUnary(UnaryRequest request, call::UnaryClientCall::Done done);

  // A stream: Place, then Post. It is made once.
  PeerSet::Choice Place(const Method& method, uint64_t bytes, const PeerSet::Peer* avoid = nullptr) const;
  call::CallTerms Terms(const Method& method, const internal::ClientCallState& state,
                        std::shared_ptr<call::CallObservers> observers, call::Place lane) const;
  // call::Inspected: calls between two attempts. Any thread.
  bool Describe(call::ConnectionView&) const override { return false; }
  void DescribeCalls(uint64_t after, absl::Time until, size_t limit, std::vector<call::CallView>& calls) const override;

  static void Post(std::shared_ptr<Lane> lane, const std::shared_ptr<internal::ClientCallState>& state,
                   std::shared_ptr<call::ClientCall> call);

 private:
  class Attempts;
  struct AttemptNumber {
    uint32_t number = 1;
    absl::Time began = base::CoarseNow();  // the first
  };

  // Whether the call might be made a second time.
  bool MayRetry(const UnaryRequest& request, const ServiceConfig& config) const;

  // One attempt.
  void Start(LaneSet::Choice in, UnaryRequest request, const AttemptNumber& attempt,
             call::UnaryClientCall::Done done) const;

  // Calls between two attempts. False once the channel is gone.
  bool AddWaiting(std::shared_ptr<Attempts> attempts) const;
  void RemoveWaiting(const Attempts& attempts) const;

  const std::shared_ptr<const LaneTerms> terms_;
  const std::shared_ptr<PeerSet> peers_;
  mutable base::Mutex mutex_;
  mutable std::map<uint64_t, std::shared_ptr<Attempts>> waiting_ ABSL_GUARDED_BY(mutex_);  // by their numbers
  mutable uint64_t last_waiting_ ABSL_GUARDED_BY(mutex_) = call::kFirstWaitingCall;
  mutable std::optional<call::Listing> listing_ ABSL_GUARDED_BY(mutex_);  // once a call has waited
  bool shut_down_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewire::client
