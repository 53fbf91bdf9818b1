// A share of a budget.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace pagewire::memory {

class BudgetLedger;
struct HolderRecord;

// Bytes that are charged to a budget and all budgets above it until this token is destroyed; it keeps those budgets'
// accounts alive. Move-only. One reservation is used by one thread at a time; its parts may be with different threads.
//
// Giving bytes back runs `granted` callbacks of those who wait for them (Budget::Reserve), on this thread, inside the
// destructor: hold no lock there that such a callback takes.
class Reservation {
 public:
  // Nothing is charged.
  Reservation() = default;
  Reservation(Reservation&& other) noexcept;
  Reservation& operator=(Reservation&& other) noexcept;
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation();

  uint64_t bytes() const { return bytes_; }

  // Moves `bytes` of this reservation into a new one with the same holder. `bytes` <= bytes().
  Reservation Split(uint64_t bytes);

  // Takes over all bytes of `other`, which must be charged to the same budget unless one of the two is empty. The
  // holder stays this one's; if this one is empty, it becomes other's.
  void Merge(Reservation&& other);

  // From now on these bytes (not those split off before) are held by `holder`, since now.
  void set_holder(std::string_view holder);

 private:
  friend class BudgetLedger;
  Reservation(std::shared_ptr<HolderRecord> record, uint64_t bytes) : record_(std::move(record)), bytes_(bytes) {}
  void GiveBack();

  std::shared_ptr<HolderRecord> record_;
  uint64_t bytes_ = 0;
};

}  // namespace pagewire::memory
