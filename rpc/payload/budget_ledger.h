// The accounts of all budgets of one hierarchy, and the line of those who wait.
#pragma once

#include <pagewire/held_budget.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <pagewire/internal/block_pool.h>

#include <atomic>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "payload/budget_view.h"
#include "payload/reservation.h"
#include "payload/ticket.h"

namespace pagewire::memory {

// One budget's account. What is not const is guarded by the ledger's lock.
struct BudgetLevel {
  BudgetLevel(std::string its_name, std::string how, std::shared_ptr<BudgetLevel> its_parent, uint64_t its_limit,
              std::string its_peer = {})
      : id(NextId()),
        name(std::move(its_name)),
        peer(std::move(its_peer)),
        how_to_raise(std::move(how)),
        parent(std::move(its_parent)),
        limit(its_limit) {}

  static uint64_t NextId() {
    static std::atomic<uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }

  const uint64_t id;
  const std::string name;
  const std::string peer;
  const std::string how_to_raise;
  const std::shared_ptr<BudgetLevel> parent;  // null at the top
  uint64_t limit;
  uint64_t reserved = 0;
  uint64_t peak = 0;  // of `reserved`

  // Of this level and those below.
  uint64_t waiting = 0;
  uint64_t max_waiting = std::numeric_limits<uint64_t>::max();  // see Budget::SetMaxWaiting
  std::string how_to_raise_waiting;

  // The most that one of those who stay in line wants of this level, as the last pass over the line found it.
  uint64_t wanted = 0;
  uint64_t wanted_in_pass = 0;
};

struct HolderRecord;
using HolderList = std::list<HolderRecord*, internal::BlockAllocator<HolderRecord*>>;

// What one reservation and the parts split off it hold. Guarded by the ledger's lock, but for what is const.
struct HolderRecord {
  HolderRecord(std::shared_ptr<BudgetLedger> its_ledger, std::shared_ptr<BudgetLevel> its_level, HolderName holder,
               uint64_t its_bytes)
      : ledger(std::move(its_ledger)),
        level(std::move(its_level)),
        label(holder.label),
        call(holder.call),
        since(absl::Now()),
        bytes(its_bytes) {}

  const std::shared_ptr<BudgetLedger> ledger;
  const std::shared_ptr<BudgetLevel> level;
  const std::basic_string<char, std::char_traits<char>, internal::BlockAllocator<char>> label;
  const uint64_t call;
  const absl::Time since;
  std::atomic<int64_t> delivered_ns{0};  // see Reservation::SetDelivered; 0: not yet
  uint64_t id = 0;
  uint64_t bytes;
  HolderList::iterator position;  // in the ledger's list, while bytes > 0
};

// Somebody who waits, or whose turn has come. Guarded by the ledger's lock, but for what is const.
struct BudgetWaiter {
  enum class State {
    kInLine,
    kGranted,  // has its bytes; the callback has not started
    kDone,     // the callback has started, or never will
  };

  BudgetWaiter(std::shared_ptr<BudgetLedger> its_ledger, std::shared_ptr<BudgetLevel> its_level, uint64_t its_bytes,
               HolderName its_holder, absl::AnyInvocable<void(Reservation)> callback)
      : ledger(std::move(its_ledger)),
        level(std::move(its_level)),
        bytes(its_bytes),
        label(its_holder.label),
        call(its_holder.call),
        granted(std::move(callback)) {}

  const std::shared_ptr<BudgetLedger> ledger;
  const std::shared_ptr<BudgetLevel> level;
  const uint64_t bytes;
  const std::string label;  // of the holder
  const uint64_t call;
  absl::AnyInvocable<void(Reservation)> granted;
  State state = State::kInLine;
  Reservation reservation;                                      // at kGranted
  std::list<std::shared_ptr<BudgetWaiter>>::iterator position;  // at kInLine
};

// Thread-safe. Functions that free bytes run the callbacks that this lets in, after the lock is gone.
class BudgetLedger : public std::enable_shared_from_this<BudgetLedger> {
 public:
  using Granted = absl::AnyInvocable<void(Reservation)>;

  // See class Budget.
  std::optional<Reservation> TryReserve(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes, HolderName holder);
  absl::StatusOr<Ticket> Reserve(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes, HolderName holder,
                                 Granted granted, Patience patience);
  Reservation Overdraw(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes, HolderName holder);
  void SetLimit(BudgetLevel& level, uint64_t limit);
  uint64_t limit(const BudgetLevel& level) const;
  uint64_t reserved(const BudgetLevel& level) const;
  std::vector<Holder> Holders(const BudgetLevel& level) const;

  // It is listed while somebody has it.
  void AddLevel(const std::shared_ptr<BudgetLevel>& level);
  std::vector<BudgetView> ListLevels(uint64_t after, size_t limit) const;
  std::vector<HolderView> ListHolders(const HolderQuery& query) const;

  // The end of `bytes` that `record` holds.
  void GiveBack(HolderRecord& record, uint64_t bytes);

  // Moves `bytes` from one holder to another at the same level.
  void Move(HolderRecord& from, HolderRecord& to, uint64_t bytes);

  // Moves `bytes` of `from` to a new holder.
  std::shared_ptr<HolderRecord> MoveToNewHolder(HolderRecord& from, uint64_t bytes, HolderName holder);

  // See Ticket::Withdraw.
  bool Withdraw(BudgetWaiter& waiter);

 private:
  using Waiters = std::list<std::shared_ptr<BudgetWaiter>>;

  // Serves the line in its order, and returns who got bytes. Afterwards Fits takes those who are still in line into
  // account.
  Waiters ServeLine() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Whether the bytes are free at all levels, and nobody whom this pass left in line lacks bytes at one of them.
  bool Fits(const BudgetLevel& level, uint64_t bytes) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void CountWaiting(const BudgetWaiter& waiter, uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckLine(const BudgetWaiter& waiter) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LeaveInLine(const BudgetWaiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Reservation Charge(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes, HolderName holder)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<HolderRecord> AddHolder(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes, HolderName holder)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeFromHolder(HolderRecord& record, uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Starts the callbacks of those who have not been withdrawn by now.
  static void RunGranted(Waiters granted);
  static void RunGranted(BudgetWaiter& waiter);

  mutable base::Mutex mutex_;
  Waiters line_ ABSL_GUARDED_BY(mutex_);
  mutable HolderList holders_ ABSL_GUARDED_BY(mutex_);  // by id; null: see ListHolders
  uint64_t pass_ ABSL_GUARDED_BY(mutex_) = 0;

  // Before mutex_, if both. What may run when a level goes takes neither.
  mutable base::Mutex levels_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::vector<std::weak_ptr<BudgetLevel>> levels_ ABSL_GUARDED_BY(levels_mutex_);  // some of them may be gone
  size_t sweep_at_ ABSL_GUARDED_BY(levels_mutex_) = 16;                            // so many, and the gone are left out
};

}  // namespace pagewire::memory
