// A place in the line for a budget.
#pragma once

#include <memory>
#include <utility>

namespace pagewire::memory {

// How long a line somebody joins.
enum class Patience {
  kAnyLine,    // whatever waits before
  kShortLine,  // only if that is not more than SetMaxWaiting allows
};

struct BudgetWaiter;

// Destroying the ticket leaves the line. Afterwards `granted` will not start any more; if it has been granted but has
// not started, the bytes go back. It may however be running at this moment on another thread, and then goes on: the
// ticket does not wait for it. `granted` therefore owns, or holds weakly, what it touches. The ticket may be destroyed
// inside `granted`.
//
// Move-only; used by one thread at a time.
class Ticket {
 public:
  // A place in no line.
  Ticket() = default;
  Ticket(Ticket&& other) noexcept = default;
  Ticket& operator=(Ticket&& other) noexcept;
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() { Withdraw(); }

  // What the destructor does. True if it is certain that `granted` never ran and never will; false if it has run, is
  // running, or if there is no line to leave.
  bool Withdraw();

 private:
  friend class BudgetLedger;
  explicit Ticket(std::shared_ptr<BudgetWaiter> waiter) : waiter_(std::move(waiter)) {}

  std::shared_ptr<BudgetWaiter> waiter_;
};

}  // namespace pagewire::memory
