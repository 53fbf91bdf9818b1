// A share of a budget.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pagewire::memory {

class BudgetLedger;
struct HolderRecord;

// Whom lists of holders name. Views what it was made of, which is mostly a label alone.
struct HolderName {
  // NOLINTBEGIN(google-explicit-constructor)
  HolderName(std::string_view its_label, uint64_t its_call = 0) : label(its_label), call(its_call) {}
  HolderName(const char* its_label) : label(its_label) {}
  HolderName(const std::string& its_label) : label(its_label) {}
  // NOLINTEND(google-explicit-constructor)

  std::string_view label;
  uint64_t call;  // which of those with this label, on their connection; 0: it does not say
};

// Bytes that are charged to a budget and all budgets above it until this token is destroyed; it keeps those budgets'
// accounts alive. Move-only. One reservation is used by one thread at a time; its parts may be with different threads.
//
// Giving bytes back runs `granted` callbacks of those who wait for them (Budget::Reserve), on this thread, inside the
// destructor: hold no lock there that such a callback takes.
class Reservation {
 public:
  // Nothing is charged.
  Reservation() = default;
  Reservation(Reservation&& other) noexcept
      : record_(std::move(other.record_)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept;
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation() {
    if (bytes_ > 0) GiveBack();
  }

  uint64_t bytes() const { return bytes_; }

  // Moves `bytes` of this reservation into a new one with the same holder. `bytes` <= bytes().
  Reservation Split(uint64_t bytes);

  // Takes over all bytes of `other`, which must be charged to the same budget unless one of the two is empty. The
  // holder stays this one's; if this one is empty, it becomes other's.
  void Merge(Reservation&& other);

  // From now on these bytes (not those split off before) are held by `holder`, since now.
  void set_holder(HolderName holder);

  // The bytes are in the application's hands from now on, with all parts that were split off: lists of holders say so.
  // Takes no lock.
  void SetDelivered();

 private:
  friend class BudgetLedger;
  Reservation(std::shared_ptr<HolderRecord> record, uint64_t bytes) : record_(std::move(record)), bytes_(bytes) {}
  void GiveBack();

  std::shared_ptr<HolderRecord> record_;
  uint64_t bytes_ = 0;
};

}  // namespace pagewire::memory
