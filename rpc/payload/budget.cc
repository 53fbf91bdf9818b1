#include "payload/budget.h"

#include <utility>

#include "payload/budget_ledger.h"

namespace pagewire::memory {

Budget::Budget(std::string name, uint64_t limit, std::string how_to_raise, const Budget* parent, std::string peer)
    : ledger_(parent != nullptr ? parent->ledger_ : std::make_shared<BudgetLedger>()),
      level_(std::make_shared<BudgetLevel>(std::move(name), std::move(how_to_raise),
                                           parent != nullptr ? parent->level_ : nullptr, limit, std::move(peer))) {
  ledger_->AddLevel(level_);
}

Budget::~Budget() = default;

std::optional<Reservation> Budget::TryReserve(uint64_t bytes, HolderName holder) {
  return ledger_->TryReserve(level_, bytes, holder);
}

absl::StatusOr<Ticket> Budget::Reserve(uint64_t bytes, HolderName holder, absl::AnyInvocable<void(Reservation)> granted,
                                       Patience patience) {
  return ledger_->Reserve(level_, bytes, holder, std::move(granted), patience);
}

void Budget::SetMaxWaiting(uint64_t bytes, std::string how_to_raise) {
  level_->max_waiting = bytes;
  level_->how_to_raise_waiting = std::move(how_to_raise);
}

Reservation Budget::Overdraw(uint64_t bytes, HolderName holder) { return ledger_->Overdraw(level_, bytes, holder); }

void Budget::SetLimit(uint64_t limit) { ledger_->SetLimit(*level_, limit); }

uint64_t Budget::limit() const { return ledger_->limit(*level_); }

uint64_t Budget::id() const { return level_->id; }

uint64_t Budget::reserved() const { return ledger_->reserved(*level_); }

std::vector<Holder> Budget::Holders() const { return ledger_->Holders(*level_); }

std::vector<BudgetView> Budget::ListLevels(uint64_t after, size_t limit) const {
  return ledger_->ListLevels(after, limit);
}

std::vector<HolderView> Budget::ListHolders(const HolderQuery& query) const { return ledger_->ListHolders(query); }

}  // namespace pagewire::memory
