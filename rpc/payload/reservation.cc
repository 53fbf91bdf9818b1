#include "payload/reservation.h"

#include "base/coarse_clock.h"
#include "base/die.h"
#include "payload/budget_ledger.h"

namespace pagewire::memory {

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    GiveBack();
    record_ = std::move(other.record_);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Reservation::GiveBack() {
  // Emptied first: what runs inside may look at this reservation again.
  const std::shared_ptr<HolderRecord> record = std::move(record_);
  const uint64_t bytes = std::exchange(bytes_, 0);
  if (bytes > 0) record->ledger->GiveBack(*record, bytes);
}

Reservation Reservation::Split(uint64_t bytes) {
  if (bytes > bytes_) base::Die("Reservation::Split: more bytes than there are");
  if (bytes == 0) return Reservation();
  bytes_ -= bytes;
  return Reservation(record_, bytes);
}

void Reservation::Merge(Reservation&& other) {
  if (other.bytes_ == 0) return;
  if (bytes_ == 0) {
    *this = std::move(other);
    return;
  }
  if (record_ != other.record_) {
    if (record_->level != other.record_->level) base::Die("Reservation::Merge: charged to different budgets");
    record_->ledger->Move(*other.record_, *record_, other.bytes_);
  }
  bytes_ += std::exchange(other.bytes_, 0);
  other.record_.reset();
}

void Reservation::SetDelivered() {
  if (bytes_ > 0) record_->delivered_ns.store(absl::ToUnixNanos(base::CoarseNow()), std::memory_order_relaxed);
}

void Reservation::set_holder(HolderName holder) {
  if (bytes_ > 0) record_ = record_->ledger->MoveToNewHolder(*record_, bytes_, holder);
}

}  // namespace pagewire::memory
