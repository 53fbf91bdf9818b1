#include <pagewire/held_budget.h>
#include <pagewire/log.h>

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/memory_limit.h"
#include "payload/budget.h"

namespace pagewire {
namespace memory {
namespace {

constexpr char kVariable[] = "PAGEWIRE_HELD_BUDGET";

uint64_t ReadInitialLimit() {
  if (const char* text = std::getenv(kVariable)) {
    uint64_t bytes = 0;
    if (absl::SimpleAtoi(text, &bytes)) return bytes;
    Log(LogSeverity::kWarning, absl::StrCat(kVariable, "=", text, " is ignored: it must be a number of bytes"));
  }
  return base::UsableMemoryBytes() / 4;
}

uint64_t InitialLimit() {
  static const uint64_t limit = ReadInitialLimit();
  return limit;
}

}  // namespace

Budget& ProcessBudget() {
  static Budget& budget =
      *new Budget("process", InitialLimit(), absl::StrCat("raise it with pagewire::SetHeldBudget or ", kVariable));
  return budget;
}

Budget& ConnectionCreditBudget() {
  static Budget& budget = *new Budget("process's connection credit", InitialLimit() / 8,
                                      absl::StrCat("raise ", kVariable, ", of which it is an eighth"));
  return budget;
}

std::vector<BudgetView> ListBudgets(uint64_t after, size_t limit) {
  std::vector<BudgetView> views = ProcessBudget().ListLevels(after, limit);
  for (BudgetView& view : ConnectionCreditBudget().ListLevels(after, limit)) views.push_back(std::move(view));
  std::sort(views.begin(), views.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  if (views.size() > limit) views.resize(limit);
  return views;
}

std::vector<HolderView> ListHolders(const HolderQuery& query) {
  std::vector<HolderView> views = ProcessBudget().ListHolders(query);
  for (HolderView& view : ConnectionCreditBudget().ListHolders(query)) views.push_back(std::move(view));
  std::sort(views.begin(), views.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  if (views.size() > query.limit) views.resize(query.limit);
  return views;
}

std::shared_ptr<Budget> MakeChildOfProcessBudget(std::string name, uint64_t limit, std::string option) {
  return std::make_shared<Budget>(std::move(name), limit != 0 ? limit : Budget::kNoLimit,
                                  absl::StrCat("raise it with ", option), &ProcessBudget());
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
