// What a handler's ServerContext shows: shared between the handler's thread and the connection's loop.
#pragma once

#include <pagewire/internal/block_pool.h>
#include <pagewire/metadata.h>
#include <pagewire/peer_identity.h>
#include <pagewire/server_context.h>
#include <pagewire/transfer_report.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/time/time.h>
#include <absl/types/span.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "call/call_observers.h"
#include "call/lazy_transfers.h"

namespace pagewire::internal {

// What goes back beside the messages.
struct ResponseMetadata {
  Metadata initial;
  Metadata trailing;
  absl::Status error;  // of the first pair that was not allowed
};

class ServerCallState {
 public:
  // Set before the handler runs, then constant.
  std::string_view method;  // the method's own name, or `name`
  std::string name;         // as it came, of a call that a generic service takes
  std::shared_ptr<const std::string> peer;
  std::shared_ptr<const PeerIdentity> peer_identity;
  absl::Time deadline = absl::InfiniteFuture();
  Metadata client_metadata;
  call::LazyTransfers transfers;
  absl::Span<const std::string> services;  // full names of the server's; valid while a handler runs

  // Of the response's payloads. Any thread.
  std::atomic<uint64_t> peer_received_bytes = 0;

  // From the handler. Any thread.
  void AddInitialMetadata(std::string_view key, std::string_view value);
  void AddTrailingMetadata(std::string_view key, std::string_view value);

  // The initial metadata so far, to be sent now; nullopt when that has happened before. Any thread.
  std::optional<Metadata> TakeInitialMetadata();

  // What has been added and not been taken yet. Any thread.
  ResponseMetadata TakeMetadata();

  // For calls that are made on behalf of this one. Any thread.
  void AddDownstreamMetadata(std::string_view key, std::string_view value);
  Metadata DownstreamMetadata() const;

  // Nobody waits for the answer any more. Any thread; the callbacks run then, on the executor.
  void Cancel();
  bool cancelled() const;

  // Runs `callback` on the executor when the call is cancelled, or now if it is. Any thread.
  void OnCancelled(absl::AnyInvocable<void()> callback);

  // Runs `callback` inside Cancel, or now if the call is cancelled, unless it has been unsubscribed. It must not block.
  // Any thread.
  uint64_t Subscribe(std::function<void()> callback);
  void Unsubscribe(uint64_t id);

  // Somebody may watch the call; Watch says who, null for nobody. They are told of all payloads, those before included.
  void AwaitWatch();
  void Watch(const std::shared_ptr<call::CallObservers>& observers);

  // What happened to a payload since the handler was started: see CallObservers.
  void PayloadSent(const TransferReport& report);
  void PayloadReceived(const TransferReport& report);

 private:
  mutable base::Mutex mutex_;
  ResponseMetadata metadata_ ABSL_GUARDED_BY(mutex_);
  Metadata downstream_metadata_ ABSL_GUARDED_BY(mutex_);
  bool initial_metadata_taken_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<absl::AnyInvocable<void()>> callbacks_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, std::function<void()>> subscriptions_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_subscription_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<call::CallObservers> observers_ ABSL_GUARDED_BY(mutex_);
  bool watched_ ABSL_GUARDED_BY(mutex_) = false;                       // as far as is known
  std::unique_ptr<TransferTotals> unwatched_ ABSL_GUARDED_BY(mutex_);  // received until that is known; null: none
};

// The library's way to a context's state.
struct ServerContextAccess {
  static const std::shared_ptr<ServerCallState>& State(const ServerContext& context) { return context.state_; }
  static std::shared_ptr<ServerContext> Make(std::shared_ptr<ServerCallState> state) {
    BlockAllocator<ServerContext> blocks;
    auto* const context = new (blocks.allocate(1)) ServerContext(std::move(state));
    const auto destroy = [blocks](ServerContext* ended) mutable {
      ended->~ServerContext();
      blocks.deallocate(ended, 1);
    };
    return std::shared_ptr<ServerContext>(context, destroy, blocks);
  }
};

}  // namespace pagewire::internal
