#include <pagewire/held_budget.h>
#include <pagewire/log.h>

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <cstdlib>
#include <utility>

#include "base/memory_limit.h"
#include "base/string_view.h"
#include "payload/budget.h"

namespace pagewire {
namespace memory {
namespace {

uint64_t DefaultLimit() {
  if (const char* text = std::getenv("PAGEWIRE_HELD_BUDGET"); text != nullptr) {
    uint64_t bytes = 0;
    if (absl::SimpleAtoi(text, &bytes)) return bytes;
    Log(LogSeverity::kWarning, absl::StrCat("PAGEWIRE_HELD_BUDGET is \"", text,
                                            "\", which is no number of bytes; using a quarter of memory"));
  }
  return base::UsableMemoryBytes() / 4;
}

}  // namespace

Budget& ProcessBudget() {
  static Budget& budget =
      *new Budget("process", DefaultLimit(), "raise it with pagewire::SetHeldBudget or PAGEWIRE_HELD_BUDGET");
  return budget;
}

Budget& ConnectionCreditBudget() {
  static Budget& budget = *new Budget("process's connection credit", DefaultLimit() / 8,
                                      "raise it with PAGEWIRE_HELD_BUDGET, of which it is an eighth");
  return budget;
}

std::shared_ptr<Budget> MakeChildOfProcessBudget(std::string name, uint64_t limit, std::string option) {
  return std::make_shared<Budget>(std::move(name), limit == 0 ? Budget::kNoLimit : limit,
                                  absl::StrCat("raise ", option), &ProcessBudget());
}

}  // namespace memory

void SetHeldBudget(uint64_t bytes) { memory::ProcessBudget().SetLimit(bytes); }

uint64_t HeldBudgetLimit() { return memory::ProcessBudget().limit(); }

uint64_t HeldBytes() { return memory::ProcessBudget().reserved(); }

std::vector<Holder> Holders() { return memory::ProcessBudget().Holders(); }

std::string Holder::ToString(absl::Time now) const {
  return absl::StrCat(bytes, " bytes held ", absl::ToInt64Seconds(now - since), " s by ", label);
}

}  // namespace pagewire
