#include "payload/budget_ledger.h"

#include <absl/strings/str_cat.h>
#include <pagewire/internal/block_pool.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace pagewire::memory {
namespace {

// The first level from `level` upwards whose limit is below `bytes`; null if there is none.
const BudgetLevel* LevelTooSmall(const BudgetLevel* level, uint64_t bytes) {
  while (level != nullptr && bytes <= level->limit) level = level->parent.get();
  return level;
}

// How many holders are looked at before others get the lock: some 10 µs.
constexpr int kHoldersAtATime = 256;

// As for calls: see call/admission.h.
constexpr uint64_t kFairness = 8;

bool IsFree(const BudgetLevel& level, uint64_t bytes) {
  return level.reserved <= level.limit && bytes <= level.limit - level.reserved;
}

const BudgetLevel& Top(const BudgetLevel& level) {
  const BudgetLevel* top = &level;
  while (top->parent != nullptr) top = top->parent.get();
  return *top;
}

bool IsWithin(const BudgetLevel* level, const BudgetLevel& ancestor) {
  while (level != nullptr && level != &ancestor) level = level->parent.get();
  return level != nullptr;
}

bool IsWithin(const BudgetLevel* level, uint64_t ancestor) {
  while (level != nullptr && level->id != ancestor) level = level->parent.get();
  return level != nullptr;
}

std::atomic<uint64_t>& LastHolder() {
  static std::atomic<uint64_t> id{0};
  return id;
}

}  // namespace

uint64_t LastHolderId() { return LastHolder().load(std::memory_order_relaxed); }

std::optional<Reservation> BudgetLedger::TryReserve(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes,
                                                    HolderName holder) {
  if (bytes == 0) return Reservation();
  Waiters granted;
  std::optional<Reservation> reservation;
  {
    base::MutexLock lock(mutex_);
    granted = ServeLine();
    if (Fits(*level, bytes)) reservation = Charge(level, bytes, holder);
  }
  RunGranted(std::move(granted));
  return reservation;
}

absl::StatusOr<Ticket> BudgetLedger::Reserve(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes,
                                             HolderName holder, Granted granted, Patience patience) {
  auto waiter = std::make_shared<BudgetWaiter>(shared_from_this(), level, bytes, holder, std::move(granted));
  Waiters served;
  absl::Status too_long;
  {
    base::MutexLock lock(mutex_);
    if (const BudgetLevel* small = LevelTooSmall(level.get(), bytes)) {
      return absl::ResourceExhaustedError(absl::StrCat("cannot hold ", bytes, " bytes: the limit of the ", small->name,
                                                       "'s held budget is ", small->limit, " bytes; ",
                                                       small->how_to_raise));
    }
    if (bytes == 0) {
      waiter->state = BudgetWaiter::State::kGranted;
      served.push_back(waiter);
    } else {
      line_.push_back(waiter);
      waiter->position = std::prev(line_.end());
      CountWaiting(*waiter, bytes);
      served = ServeLine();
      if (patience == Patience::kShortLine && waiter->state == BudgetWaiter::State::kInLine)
        too_long = CheckLine(*waiter);
      if (!too_long.ok()) {
        line_.erase(waiter->position);
        CountWaiting(*waiter, -bytes);
        waiter->state = BudgetWaiter::State::kDone;
      }
    }
  }
  RunGranted(std::move(served));
  if (!too_long.ok()) return too_long;
  return Ticket(std::move(waiter));
}

Reservation BudgetLedger::Overdraw(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes, HolderName holder) {
  if (bytes == 0) return Reservation();
  base::MutexLock lock(mutex_);
  return Charge(level, bytes, holder);
}

void BudgetLedger::SetLimit(BudgetLevel& level, uint64_t limit) {
  Waiters served;
  {
    base::MutexLock lock(mutex_);
    level.limit = limit;
    served = ServeLine();
  }
  RunGranted(std::move(served));
}

uint64_t BudgetLedger::limit(const BudgetLevel& level) const {
  base::MutexLock lock(mutex_);
  return level.limit;
}

uint64_t BudgetLedger::reserved(const BudgetLevel& level) const {
  base::MutexLock lock(mutex_);
  return level.reserved;
}

std::vector<Holder> BudgetLedger::Holders(const BudgetLevel& level) const {
  std::vector<Holder> holders;
  base::MutexLock lock(mutex_);
  for (const HolderRecord* record : holders_) {
    if (record == nullptr || !IsWithin(record->level.get(), level)) continue;
    holders.push_back({std::string(record->label), record->bytes, record->since});
  }
  return holders;
}

void BudgetLedger::AddLevel(const std::shared_ptr<BudgetLevel>& level) {
  base::MutexLock lock(levels_mutex_);
  if (levels_.size() >= sweep_at_) {
    std::erase_if(levels_, [](const auto& weak) { return weak.expired(); });
    sweep_at_ = 2 * levels_.size() + 16;
  }
  levels_.push_back(level);
}

std::vector<BudgetView> BudgetLedger::ListLevels(uint64_t after, size_t limit) const {
  std::vector<std::shared_ptr<BudgetLevel>> levels;
  {
    base::MutexLock lock(levels_mutex_);
    for (const std::weak_ptr<BudgetLevel>& weak : levels_) {
      if (auto level = weak.lock(); level != nullptr && level->id > after) levels.push_back(std::move(level));
    }
  }
  // Budgets may be added in another order than they got their ids.
  const auto by_id = [](const auto& a, const auto& b) { return a->id < b->id; };
  std::sort(levels.begin(), levels.end(), by_id);
  if (levels.size() > limit) levels.resize(limit);
  std::vector<BudgetView> views;
  views.reserve(levels.size());
  base::MutexLock lock(mutex_);
  for (const std::shared_ptr<BudgetLevel>& level : levels) {
    views.push_back({level->id, level->parent == nullptr ? 0 : level->parent->id, level->name, level->peer,
                     level->limit, level->reserved, level->peak, level->waiting});
  }
  return views;
}

std::vector<HolderView> BudgetLedger::ListHolders(const HolderQuery& query) const {
  std::vector<HolderView> views;
  const auto take = [&](const HolderRecord& record) {
    if (record.id <= query.after || record.id > query.last || record.since > query.until) return;
    if (query.budget != 0 && !IsWithin(record.level.get(), query.budget)) return;
    const int64_t delivered = record.delivered_ns.load(std::memory_order_relaxed);
    views.push_back({record.id, record.level->id, std::string(record.label), record.level->peer, record.call,
                     record.bytes, record.since,
                     delivered == 0 ? absl::InfiniteFuture() : absl::FromUnixNanos(delivered)});
  };
  // Payloads come and go under this lock: it is held for a few at a time, and a null in the list marks the place.
  HolderList::iterator place;
  {
    base::MutexLock lock(mutex_);
    place = holders_.insert(holders_.begin(), nullptr);
  }
  for (bool more = true; more;) {
    base::MutexLock lock(mutex_);
    auto next = std::next(place);
    for (int i = 0; i < kHoldersAtATime && next != holders_.end() && views.size() < query.limit; ++i, ++next) {
      if (*next != nullptr) take(**next);
    }
    more = next != holders_.end() && views.size() < query.limit;
    holders_.splice(next, holders_, place);
    if (!more) holders_.erase(place);
  }
  return views;
}

void BudgetLedger::GiveBack(HolderRecord& record, uint64_t bytes) {
  Waiters served;
  {
    base::MutexLock lock(mutex_);
    TakeFromHolder(record, bytes);
    for (BudgetLevel* level = record.level.get(); level != nullptr; level = level->parent.get()) {
      level->reserved -= bytes;
    }
    served = ServeLine();
  }
  RunGranted(std::move(served));
}

void BudgetLedger::Move(HolderRecord& from, HolderRecord& to, uint64_t bytes) {
  base::MutexLock lock(mutex_);
  TakeFromHolder(from, bytes);
  to.bytes += bytes;
}

std::shared_ptr<HolderRecord> BudgetLedger::MoveToNewHolder(HolderRecord& from, uint64_t bytes, HolderName holder) {
  base::MutexLock lock(mutex_);
  TakeFromHolder(from, bytes);
  return AddHolder(from.level, bytes, holder);
}

bool BudgetLedger::Withdraw(BudgetWaiter& waiter) {
  Reservation reservation;
  Granted granted;
  Waiters served;
  {
    base::MutexLock lock(mutex_);
    if (waiter.state == BudgetWaiter::State::kDone) return false;
    if (waiter.state == BudgetWaiter::State::kInLine) {
      line_.erase(waiter.position);
      CountWaiting(waiter, -waiter.bytes);
      served = ServeLine();
    }
    waiter.state = BudgetWaiter::State::kDone;
    reservation = std::move(waiter.reservation);
    granted = std::move(waiter.granted);
  }
  RunGranted(std::move(served));
  return true;
}

BudgetLedger::Waiters BudgetLedger::ServeLine() {
  ++pass_;
  Waiters served;
  for (auto it = line_.begin(); it != line_.end();) {
    const auto current = it++;
    BudgetWaiter& waiter = **current;
    // A limit was lowered below this request: it may wait for better times, but not hold up others.
    if (LevelTooSmall(waiter.level.get(), waiter.bytes) != nullptr) continue;
    if (!Fits(*waiter.level, waiter.bytes)) {
      LeaveInLine(waiter);
      if (!Fits(Top(*waiter.level), 1)) break;  // so it is for all who come later
      continue;
    }
    waiter.reservation = Charge(waiter.level, waiter.bytes, {waiter.label, waiter.call});
    waiter.state = BudgetWaiter::State::kGranted;
    CountWaiting(waiter, -waiter.bytes);
    served.splice(served.end(), line_, current);
  }
  return served;
}

// `bytes` may be negated: counts are modulo 2^64.
void BudgetLedger::CountWaiting(const BudgetWaiter& waiter, uint64_t bytes) {
  for (BudgetLevel* at = waiter.level.get(); at != nullptr; at = at->parent.get()) at->waiting += bytes;
}

absl::Status BudgetLedger::CheckLine(const BudgetWaiter& waiter) const {
  const BudgetLevel* below = nullptr;
  for (const BudgetLevel* at = waiter.level.get(); at != nullptr; below = at, at = at->parent.get()) {
    if (at->max_waiting == std::numeric_limits<uint64_t>::max()) continue;
    const uint64_t before = at->waiting - waiter.bytes;
    const uint64_t room = at->max_waiting - std::min(before, at->max_waiting);
    const bool full = waiter.bytes > room;
    if (!full && (below == nullptr || below->waiting / kFairness <= room)) continue;
    return absl::ResourceExhaustedError(
        absl::StrCat(waiter.bytes, " bytes would have to wait for the ", at->name, "'s held budget, as ", before,
                     " do already; ", full ? "the limit is " : "the rest is kept for others, and the limit is ",
                     at->max_waiting, "; ", at->how_to_raise_waiting, ", or try again later"));
  }
  return absl::OkStatus();
}

bool BudgetLedger::Fits(const BudgetLevel& level, uint64_t bytes) const {
  for (const BudgetLevel* at = &level; at != nullptr; at = at->parent.get()) {
    const uint64_t wanted = at->wanted_in_pass == pass_ ? at->wanted : 0;
    if (!IsFree(*at, std::max(bytes, wanted))) return false;
  }
  return true;
}

void BudgetLedger::LeaveInLine(const BudgetWaiter& waiter) {
  for (BudgetLevel* at = waiter.level.get(); at != nullptr; at = at->parent.get()) {
    at->wanted = at->wanted_in_pass == pass_ ? std::max(at->wanted, waiter.bytes) : waiter.bytes;
    at->wanted_in_pass = pass_;
  }
}

Reservation BudgetLedger::Charge(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes, HolderName holder) {
  if (bytes == 0) return Reservation();
  for (BudgetLevel* at = level.get(); at != nullptr; at = at->parent.get()) {
    at->reserved += bytes;
    at->peak = std::max(at->peak, at->reserved);
  }
  return Reservation(AddHolder(level, bytes, holder), bytes);
}

std::shared_ptr<HolderRecord> BudgetLedger::AddHolder(const std::shared_ptr<BudgetLevel>& level, uint64_t bytes,
                                                      HolderName holder) {
  auto record = internal::MakeShared<HolderRecord>(shared_from_this(), level, holder, bytes);
  record->id = LastHolder().fetch_add(1, std::memory_order_relaxed) + 1;
  record->position = holders_.insert(holders_.end(), record.get());
  return record;
}

void BudgetLedger::TakeFromHolder(HolderRecord& record, uint64_t bytes) {
  record.bytes -= bytes;
  if (record.bytes == 0) holders_.erase(record.position);
}

void BudgetLedger::RunGranted(Waiters granted) {
  // A callback may free bytes and so let others in. They run after it, not inside it: a line of thousands must not
  // become a stack of thousands of calls.
  thread_local Waiters* running = nullptr;
  if (granted.empty()) return;
  if (running != nullptr) {
    running->splice(running->end(), granted);
    return;
  }
  running = &granted;
  for (; !granted.empty(); granted.pop_front()) RunGranted(*granted.front());
  running = nullptr;
}

void BudgetLedger::RunGranted(BudgetWaiter& waiter) {
  Reservation reservation;
  Granted granted;
  {
    base::MutexLock lock(waiter.ledger->mutex_);
    if (waiter.state == BudgetWaiter::State::kDone) return;  // withdrawn
    waiter.state = BudgetWaiter::State::kDone;
    reservation = std::move(waiter.reservation);
    granted = std::move(waiter.granted);
  }
  granted(std::move(reservation));
}

}  // namespace pagewire::memory
