// Random operations on budgets, each step compared with a model that is too simple to be wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "payload/budget.h"

namespace pagewire::memory {
namespace {

// One process, two servers, two connections each.
constexpr int kLevels = 7;
constexpr int kParent[kLevels] = {-1, 0, 0, 1, 1, 2, 2};

class Model {
 public:
  struct Waiter {
    int id;
    int level;
    uint64_t bytes;
  };

  explicit Model(const std::vector<uint64_t>& limits) : limits_(limits), reserved_(kLevels, 0) {}

  bool CanEver(int level, uint64_t bytes) const {
    return ForAll(level, [&](int at) { return bytes <= limits_[at]; });
  }

  // Whether somebody at `level` would get the bytes if `earlier` wait.
  bool Fits(int level, uint64_t bytes, const std::vector<Waiter>& earlier) const {
    return ForAll(level, [&](int at) {
      if (!Free(at, bytes)) return false;
      return std::none_of(earlier.begin(), earlier.end(), [&](const Waiter& waiter) {
        return CanEver(waiter.level, waiter.bytes) && IsWithin(waiter.level, at) && !Free(at, waiter.bytes);
      });
    });
  }
  bool FitsNow(int level, uint64_t bytes) const { return Fits(level, bytes, line_); }

  void Wait(Waiter waiter) { line_.push_back(waiter); }
  void Leave(int id) {
    line_.erase(std::remove_if(line_.begin(), line_.end(), [&](const Waiter& w) { return w.id == id; }), line_.end());
  }

  // Who gets bytes now, in order.
  std::vector<Waiter> Serve() {
    std::vector<Waiter> served;
    std::vector<Waiter> still;
    for (const Waiter& waiter : line_) {
      if (CanEver(waiter.level, waiter.bytes) && Fits(waiter.level, waiter.bytes, still)) {
        Add(waiter.level, waiter.bytes);
        served.push_back(waiter);
      } else {
        still.push_back(waiter);
      }
    }
    line_ = still;
    return served;
  }

  void Add(int level, uint64_t bytes) {
    for (int at = level; at >= 0; at = kParent[at]) reserved_[at] += bytes;
  }
  void Remove(int level, uint64_t bytes) {
    for (int at = level; at >= 0; at = kParent[at]) reserved_[at] -= bytes;
  }

  void SetLimit(int level, uint64_t limit) { limits_[level] = limit; }
  uint64_t limit(int level) const { return limits_[level]; }
  uint64_t reserved(int level) const { return reserved_[level]; }

 private:
  template <typename Condition>
  static bool ForAll(int level, Condition condition) {
    for (int at = level; at >= 0; at = kParent[at]) {
      if (!condition(at)) return false;
    }
    return true;
  }
  static bool IsWithin(int level, int ancestor) {
    return !ForAll(level, [&](int at) { return at != ancestor; });
  }
  bool Free(int level, uint64_t bytes) const {
    return reserved_[level] <= limits_[level] && bytes <= limits_[level] - reserved_[level];
  }

  std::vector<uint64_t> limits_;
  std::vector<uint64_t> reserved_;
  std::vector<Waiter> line_;
};

class BudgetModelTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  struct Held {
    int level;
    Reservation reservation;
  };

  BudgetModelTest() : random_(GetParam()), model_({100, 70, 60, 40, 100, 30, 60}) {
    for (int level = 0; level < kLevels; ++level) {
      budgets_.push_back(std::make_unique<Budget>("level", model_.limit(level), "raise it",
                                                  level == 0 ? nullptr : budgets_[kParent[level]].get()));
    }
  }

  int Level() { return static_cast<int>(random_() % kLevels); }
  uint64_t Bytes() { return random_() % 4 == 0 ? random_() % 120 : random_() % 25; }

  void TryReserve() {
    const int level = Level();
    const uint64_t bytes = Bytes();
    std::optional<Reservation> got = budgets_[level]->TryReserve(bytes, "try");
    ASSERT_EQ(got.has_value(), bytes == 0 || model_.FitsNow(level, bytes));
    if (!got.has_value()) return;
    model_.Add(level, bytes);
    held_.push_back({level, *std::move(got)});
  }

  void Reserve() {
    const int level = Level();
    const uint64_t bytes = 1 + Bytes();
    const int id = next_id_++;
    absl::StatusOr<Ticket> ticket = budgets_[level]->Reserve(bytes, "wait", [this, id, level](Reservation reservation) {
      granted_.emplace_back(id, reservation.bytes());
      held_.push_back({level, std::move(reservation)});
    });
    ASSERT_EQ(ticket.ok(), model_.CanEver(level, bytes)) << ticket.status();
    if (!ticket.ok()) return;
    model_.Wait({id, level, bytes});
    tickets_.emplace(id, *std::move(ticket));
  }

  void Withdraw() {
    if (tickets_.empty()) return;
    const auto it = std::next(tickets_.begin(), static_cast<ptrdiff_t>(random_() % tickets_.size()));
    model_.Leave(it->first);
    Ticket ticket = std::move(it->second);
    tickets_.erase(it);
    ASSERT_TRUE(ticket.Withdraw());
  }

  void Release() {
    if (held_.empty()) return;
    std::swap(held_[random_() % held_.size()], held_.back());
    const Held gone = std::move(held_.back());
    held_.pop_back();
    model_.Remove(gone.level, gone.reservation.bytes());
  }

  void SplitOrMerge() {
    if (held_.size() < 2) return;
    Held& a = held_[random_() % held_.size()];
    Held& b = held_[random_() % held_.size()];
    if (&a != &b && a.level == b.level) {
      a.reservation.Merge(std::move(b.reservation));
    } else {
      const int level = a.level;
      Reservation part = a.reservation.Split(random_() % (a.reservation.bytes() + 1));
      if (random_() % 2 == 0) part.set_holder("part");
      held_.push_back({level, std::move(part)});
    }
  }

  void SetLimit() {
    const int level = Level();
    const uint64_t limit = random_() % 3 == 0 ? Budget::kNoLimit : random_() % 120;
    model_.SetLimit(level, limit);
    budgets_[level]->SetLimit(limit);
  }

  void Overdraw() {
    const int level = Level();
    const uint64_t bytes = Bytes();
    held_.push_back({level, budgets_[level]->Overdraw(bytes, "overdrawn")});
    model_.Add(level, bytes);
  }

  void RandomOperation() {
    switch (random_() % 8) {
      case 0:
        return TryReserve();
      case 1:
      case 2:
        return Reserve();
      case 3:
        return Withdraw();
      case 4:
        return SplitOrMerge();
      default:
        return Release();
    }
  }

  // After each operation: who was granted, in which order, and all accounts.
  void Compare() {
    std::vector<std::pair<int, uint64_t>> expected;
    for (const Model::Waiter& waiter : model_.Serve()) {
      expected.emplace_back(waiter.id, waiter.bytes);
      tickets_.erase(waiter.id);
    }
    ASSERT_EQ(granted_, expected);
    granted_.clear();
    for (int level = 0; level < kLevels; ++level) {
      ASSERT_EQ(budgets_[level]->reserved(), model_.reserved(level)) << "level " << level;
      uint64_t held = 0;
      for (const Holder& holder : budgets_[level]->Holders()) held += holder.bytes;
      ASSERT_EQ(held, model_.reserved(level)) << "level " << level;
    }
  }

  std::mt19937 random_;
  Model model_;
  std::vector<std::unique_ptr<Budget>> budgets_;
  std::vector<Held> held_;
  std::map<int, Ticket> tickets_;
  std::vector<std::pair<int, uint64_t>> granted_;
  int next_id_ = 0;
};

TEST_P(BudgetModelTest, AgreesWithTheModel) {
  for (int step = 0; step < 3000; ++step) {
    if (step % 50 == 0) {
      SetLimit();
    } else if (step % 83 == 0) {
      Overdraw();
    } else {
      RandomOperation();
    }
    if (HasFatalFailure()) return;
    Compare();
    if (HasFatalFailure()) FAIL() << "seed " << GetParam() << ", step " << step;
  }
  tickets_.clear();
  held_.clear();
  EXPECT_EQ(budgets_[0]->reserved(), 0u);
  EXPECT_TRUE(budgets_[0]->Holders().empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, BudgetModelTest, ::testing::Range(1u, 21u));

}  // namespace
}  // namespace pagewire::memory
