#include "payload/ticket.h"

#include "payload/budget_ledger.h"

namespace pagewire::memory {

Ticket& Ticket::operator=(Ticket&& other) noexcept {
  if (this != &other) {
    Withdraw();
    waiter_ = std::move(other.waiter_);
  }
  return *this;
}

bool Ticket::Withdraw() {
  const std::shared_ptr<BudgetWaiter> waiter = std::move(waiter_);
  return waiter != nullptr && waiter->ledger->Withdraw(*waiter);
}

}  // namespace pagewire::memory
