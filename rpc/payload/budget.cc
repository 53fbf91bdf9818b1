#include "payload/budget.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <list>
#include <utility>

#include "base/mutex.h"
#include "base/string_view.h"

namespace pagewire::memory {

// One limit. Guarded by its ledger's mutex, apart from what is constant.
struct BudgetLevel {
  std::string name;
  std::string how_to_raise;
  std::shared_ptr<BudgetLevel> parent;
  uint64_t limit = 0;
  uint64_t reserved = 0;
};

// One holder of bytes at one level, shared by the parts of a reservation. Guarded by its ledger's mutex.
struct HolderRecord {
  std::shared_ptr<BudgetLedger> ledger;
  std::shared_ptr<BudgetLevel> level;
  Holder holder;
};

struct BudgetWaiter {
  std::shared_ptr<BudgetLedger> ledger;
  std::shared_ptr<BudgetLevel> level;
  uint64_t bytes = 0;
  std::string holder;
  absl::AnyInvocable<void(Reservation)> granted;
};

// The accounts of one hierarchy. One lock for all of them: a reservation counts at several levels at once.
class BudgetLedger : public std::enable_shared_from_this<BudgetLedger> {
 public:
  using Grants = std::vector<std::pair<std::shared_ptr<BudgetWaiter>, Reservation>>;

  // The level at which the bytes do not fit, from `level` up; null when they fit everywhere.
  static const BudgetLevel* Tight(const BudgetLevel* level, uint64_t bytes) {
    if (bytes == 0) return nullptr;
    for (; level != nullptr; level = level->parent.get()) {
      if (level->reserved > level->limit || bytes > level->limit - level->reserved) return level;
    }
    return nullptr;
  }

  static bool CountsAgainst(const BudgetLevel* level, const std::vector<const BudgetLevel*>& tight) {
    for (; level != nullptr; level = level->parent.get()) {
      if (std::find(tight.begin(), tight.end(), level) != tight.end()) return true;
    }
    return false;
  }

  Reservation Take(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes, std::string_view holder)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    for (BudgetLevel* at = level.get(); at != nullptr; at = at->parent.get()) at->reserved += bytes;
    auto record = std::make_shared<HolderRecord>(
        HolderRecord{shared_from_this(), level, Holder{std::string(holder), bytes, absl::Now()}});
    records.push_back(record.get());
    return Reservation(std::move(record), bytes);
  }

  // Serves those in line who fit, in order. One who does not fit holds up the later ones that count against the level
  // which is too tight for it, and only those.
  Grants Serve() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    Grants grants;
    std::vector<const BudgetLevel*> tight;
    for (auto it = line.begin(); it != line.end();) {
      const std::shared_ptr<BudgetWaiter> waiter = *it;
      const BudgetLevel* level = CountsAgainst(waiter->level.get(), tight) ? waiter->level.get()
                                                                           : Tight(waiter->level.get(), waiter->bytes);
      if (level != nullptr) {
        tight.push_back(level);
        ++it;
        continue;
      }
      grants.emplace_back(waiter, Take(waiter->level, waiter->bytes, waiter->holder));
      it = line.erase(it);
    }
    return grants;
  }

  // With the lock free: a callback may come back to the budget.
  static void Deliver(Grants grants) {
    for (auto& [waiter, reservation] : grants) std::move(waiter->granted)(std::move(reservation));
  }

  void GiveBack(HolderRecord& record, uint64_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    for (BudgetLevel* at = record.level.get(); at != nullptr; at = at->parent.get()) at->reserved -= bytes;
    record.holder.bytes -= bytes;
    if (record.holder.bytes == 0) records.remove(&record);
  }

  static Reservation Part(std::shared_ptr<HolderRecord> record, uint64_t bytes) {
    return Reservation(std::move(record), bytes);
  }
  static Ticket MakeTicket(std::shared_ptr<BudgetWaiter> waiter) { return Ticket(std::move(waiter)); }

  base::Mutex mutex;
  std::list<std::shared_ptr<BudgetWaiter>> line ABSL_GUARDED_BY(mutex);
  std::list<HolderRecord*> records ABSL_GUARDED_BY(mutex);
};

Reservation::Reservation(Reservation&& other) noexcept
    : record_(std::move(other.record_)), bytes_(std::exchange(other.bytes_, 0)) {}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  GiveBack();
  record_ = std::move(other.record_);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

Reservation::~Reservation() { GiveBack(); }

void Reservation::GiveBack() {
  if (record_ == nullptr) return;
  const std::shared_ptr<HolderRecord> record = std::move(record_);
  BudgetLedger& ledger = *record->ledger;
  BudgetLedger::Grants grants;
  {
    base::MutexLock lock(ledger.mutex);
    ledger.GiveBack(*record, std::exchange(bytes_, 0));
    grants = ledger.Serve();
  }
  BudgetLedger::Deliver(std::move(grants));
}

Reservation Reservation::Split(uint64_t bytes) {
  bytes_ -= bytes;
  return BudgetLedger::Part(record_, bytes);
}

void Reservation::Merge(Reservation&& other) {
  if (other.record_ == nullptr) return;
  if (record_ == nullptr) {
    *this = std::move(other);
    return;
  }
  if (record_ != other.record_) {
    base::MutexLock lock(record_->ledger->mutex);
    record_->holder.bytes += other.bytes_;
    other.record_->holder.bytes -= other.bytes_;
    if (other.record_->holder.bytes == 0) record_->ledger->records.remove(other.record_.get());
  }
  bytes_ += std::exchange(other.bytes_, 0);
  other.record_.reset();
}

void Reservation::set_holder(std::string_view holder) {
  if (record_ == nullptr) return;
  BudgetLedger& ledger = *record_->ledger;
  base::MutexLock lock(ledger.mutex);
  record_->holder.bytes -= bytes_;
  if (record_->holder.bytes == 0) ledger.records.remove(record_.get());
  record_ = std::make_shared<HolderRecord>(
      HolderRecord{record_->ledger, record_->level, Holder{std::string(holder), bytes_, absl::Now()}});
  ledger.records.push_back(record_.get());
}

Ticket& Ticket::operator=(Ticket&& other) noexcept {
  if (this == &other) return *this;
  Withdraw();
  waiter_ = std::move(other.waiter_);
  return *this;
}

bool Ticket::Withdraw() {
  const std::shared_ptr<BudgetWaiter> waiter = std::move(waiter_);
  if (waiter == nullptr) return false;
  BudgetLedger& ledger = *waiter->ledger;
  BudgetLedger::Grants grants;
  bool withdrawn = false;
  {
    base::MutexLock lock(ledger.mutex);
    const auto it = std::find(ledger.line.begin(), ledger.line.end(), waiter);
    withdrawn = it != ledger.line.end();
    if (withdrawn) ledger.line.erase(it);
    grants = ledger.Serve();  // those it held up
  }
  BudgetLedger::Deliver(std::move(grants));
  return withdrawn;
}

Budget::Budget(std::string name, uint64_t limit, std::string how_to_raise, const Budget* parent)
    : ledger_(parent != nullptr ? parent->ledger_ : std::make_shared<BudgetLedger>()),
      level_(std::make_shared<BudgetLevel>(BudgetLevel{
          std::move(name), std::move(how_to_raise), parent != nullptr ? parent->level_ : nullptr, limit, 0})) {}

Budget::~Budget() = default;

std::optional<Reservation> Budget::TryReserve(uint64_t bytes, std::string_view holder) {
  base::MutexLock lock(ledger_->mutex);
  if (bytes > 0) {
    if (BudgetLedger::Tight(level_.get(), bytes) != nullptr) return std::nullopt;
    std::vector<const BudgetLevel*> tight;
    for (const auto& waiter : ledger_->line) {
      if (const BudgetLevel* level = BudgetLedger::Tight(waiter->level.get(), waiter->bytes)) tight.push_back(level);
    }
    if (BudgetLedger::CountsAgainst(level_.get(), tight)) return std::nullopt;
  }
  return ledger_->Take(level_, bytes, holder);
}

absl::StatusOr<Ticket> Budget::Reserve(uint64_t bytes, std::string_view holder,
                                       absl::AnyInvocable<void(Reservation)> granted) {
  auto waiter = std::make_shared<BudgetWaiter>(
      BudgetWaiter{ledger_, level_, bytes, std::string(holder), std::move(granted)});
  BudgetLedger::Grants grants;
  {
    base::MutexLock lock(ledger_->mutex);
    for (const BudgetLevel* level = level_.get(); level != nullptr; level = level->parent.get()) {
      if (bytes <= level->limit) continue;
      return absl::ResourceExhaustedError(absl::StrCat(bytes, " bytes are more than the held budget of the ",
                                                       level->name, " allows at all, ", level->limit, " bytes; ",
                                                       level->how_to_raise));
    }
    ledger_->line.push_back(waiter);
    grants = ledger_->Serve();
  }
  BudgetLedger::Deliver(std::move(grants));
  return BudgetLedger::MakeTicket(std::move(waiter));
}

Reservation Budget::Overdraw(uint64_t bytes, std::string_view holder) {
  base::MutexLock lock(ledger_->mutex);
  return ledger_->Take(level_, bytes, holder);
}

void Budget::SetLimit(uint64_t limit) {
  BudgetLedger::Grants grants;
  {
    base::MutexLock lock(ledger_->mutex);
    level_->limit = limit;
    grants = ledger_->Serve();
  }
  BudgetLedger::Deliver(std::move(grants));
}

uint64_t Budget::limit() const {
  base::MutexLock lock(ledger_->mutex);
  return level_->limit;
}

uint64_t Budget::reserved() const {
  base::MutexLock lock(ledger_->mutex);
  return level_->reserved;
}

std::vector<Holder> Budget::Holders() const {
  std::vector<Holder> holders;
  base::MutexLock lock(ledger_->mutex);
  for (const HolderRecord* record : ledger_->records) {
    const BudgetLevel* level = record->level.get();
    while (level != nullptr && level != level_.get()) level = level->parent.get();
    if (level != nullptr && record->holder.bytes > 0) holders.push_back(record->holder);
  }
  std::stable_sort(holders.begin(), holders.end(),
                   [](const Holder& a, const Holder& b) { return a.since < b.since; });
  return holders;
}

}  // namespace pagewire::memory
