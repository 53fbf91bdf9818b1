// Tells the observers of one call what happens in it.
#pragma once

#include <pagewire/interceptor.h>

#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace pagewire::call {

// Thread-safe, and cheap enough for a loop: counts, and has the observers told on the executor. Takes the same memory
// however far they lag behind. Null stands for a call that nobody watches.
class CallObservers final : public std::enable_shared_from_this<CallObservers> {
 public:
  // Before anything else. What goes out passes them in the order in which they were added, what comes in backwards.
  void Add(std::unique_ptr<CallObserver> observer) { observers_.push_back(std::move(observer)); }
  bool empty() const { return observers_.empty(); }

  // A message of so many bytes, with a payload of so many.
  void Sent(uint64_t message_bytes, uint64_t payload_bytes);
  void Received(uint64_t message_bytes, uint64_t payload_bytes);

  // The peer has just said what it did with payloads of ours; payloads have come.
  void PayloadsSent(TransferTotals totals);
  void PayloadsReceived(const TransferTotals& totals);

  // Nothing is told after it; a second one is ignored. `peer`: null where observers know it, or there is none.
  void End(const absl::Status& status, const std::shared_ptr<const std::string>& peer = nullptr);

 private:
  struct Transfers {
    TransferTotals sent;
    TransferTotals received;
  };
  struct News {
    MessageTraffic sent;
    MessageTraffic received;
    std::unique_ptr<Transfers> transfers;  // null: none
    std::optional<absl::Status> end;
    std::string peer;
    bool empty() const;
  };
  void CountTransfers(const TransferTotals& more, TransferTotals Transfers::*direction);
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellAll();
  void Tell(const News& news);
  void TellTransfers(const Transfers& transfers);

  std::vector<std::unique_ptr<CallObserver>> observers_;
  base::Mutex mutex_;
  News news_ ABSL_GUARDED_BY(mutex_);
  bool telling_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewire::call
