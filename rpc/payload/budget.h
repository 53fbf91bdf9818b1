// A limit on bytes that are held, one level in a hierarchy: process, channel or server, connection.
#pragma once

#include <pagewire/held_budget.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "payload/budget_view.h"
#include "payload/reservation.h"
#include "payload/ticket.h"

namespace pagewire::memory {

class BudgetLedger;
struct BudgetLevel;

// What is reserved here is reserved at every level above, too, and never exceeds any level's limit (but see Overdraw).
//
// First come first served: a request that does not fit waits in line, and while it lacks bytes at some level, nothing
// that comes later gets bytes at that level. Requests that share no such level pass it, so that one channel at its
// limit does not stop the others.
//
// Thread-safe. Reservations and tickets may outlive the budget. All budgets of a hierarchy share one lock.
class Budget {
 public:
  static constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

  // `name` ("process") and `how_to_raise` ("raise ServerBuilder::SetHeldBudgetBytes") appear in messages. `parent` may
  // be null and need not outlive this budget. `peer`: of the connection whose budget it is, for lists.
  Budget(std::string name, uint64_t limit, std::string how_to_raise, const Budget* parent = nullptr,
         std::string peer = {});
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;
  ~Budget();

  // The bytes, if they are free now and nobody is in line before us; 0 bytes always succeed. `holder` is whom Holders()
  // names.
  std::optional<Reservation> TryReserve(uint64_t bytes, HolderName holder);

  // Runs `granted` once, as soon as the bytes are free: inside this call, or later on the thread that frees them; no
  // lock is held. It must not block. (On a thread that is inside such a callback already, it runs right after that
  // one.)
  //
  // RESOURCE_EXHAUSTED, and `granted` never runs, when `bytes` is more than some level's limit, or would have to wait
  // in a line that is too long for `patience`; the message names the size, the limit and how to raise it. These are the
  // only errors.
  absl::StatusOr<Ticket> Reserve(uint64_t bytes, HolderName holder, absl::AnyInvocable<void(Reservation)> granted,
                                 Patience patience = Patience::kAnyLine);

  // How many bytes may wait for this level, by itself and by those below, before kShortLine is refused. A level right
  // below may have at most eight times as many in line as there is room for, so that one of them does not fill the
  // line (see call/admission.h). `how_to_raise` appears in messages. Before the first reservation.
  void SetMaxWaiting(uint64_t bytes, std::string how_to_raise);

  // The bytes, whatever the limits say and whoever waits: for what a peer may send before it could be told otherwise.
  // Others wait until usage is below the limits again. The caller bounds the sum.
  Reservation Overdraw(uint64_t bytes, HolderName holder);

  // See pagewire::SetHeldBudget. Raising the limit runs callbacks of those whom it lets in, inside this call.
  void SetLimit(uint64_t limit);

  uint64_t limit() const;

  // In lists; see payload/budget_view.h.
  uint64_t id() const;

  // Charged at this level, by itself and by those below.
  uint64_t reserved() const;

  // Who holds what is charged at this level, one entry per reservation and holder (its parts count as one), those that
  // hold longest first.
  std::vector<Holder> Holders() const;

  // Of this hierarchy: see ListBudgets and ListHolders. The levels are those of the budgets that exist, or of which
  // something is reserved.
  std::vector<BudgetView> ListLevels(uint64_t after, size_t limit) const;
  std::vector<HolderView> ListHolders(const HolderQuery& query) const;

 private:
  const std::shared_ptr<BudgetLedger> ledger_;
  const std::shared_ptr<BudgetLevel> level_;
};

// The process's budget of pagewire/held_budget.h; never destroyed.
Budget& ProcessBudget();

// What connections may use without asking, and messages on their way: beside the process's budget, so that payloads
// that are held do not stop small calls. An eighth of the process's initial limit; never destroyed.
Budget& ConnectionCreditBudget();

// A budget within the process's. `option` names the setting that `limit` came from; 0 means no limit of its own.
std::shared_ptr<Budget> MakeChildOfProcessBudget(std::string name, uint64_t limit, std::string option);

}  // namespace pagewire::memory
