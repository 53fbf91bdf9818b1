// One message or payload on its way in: how large it is, how much has come, and the bytes reserved for it.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "payload/budget.h"
#include "transport/unread.h"

namespace pagewire::transport {

class IncomingItem {
 public:
  // `credit` is what it takes of its call's and its connection's.
  IncomingItem(const char* what, uint64_t id, uint64_t size, uint64_t credit)
      : what_(what), id_(id), size_(size), credit_(credit) {}

  uint64_t size() const { return size_; }
  uint64_t credit() const { return credit_; }
  uint64_t received() const { return received_; }
  uint64_t remaining() const { return size_ - received_; }

  // The item may flow: the peer started it on credit it held (`backing` is what left the float), or its grant came
  // (`held` is what was reserved for it).
  void StartOnFloat(memory::Reservation backing) {
    started_ = true;
    float_backing_ = std::move(backing);
  }
  void StartOnGrant(memory::Reservation held) {
    started_ = true;
    held_ = std::move(held);
    StopWaiting();
  }
  bool started() const { return started_; }

  // It waits until the application has read what came before it.
  void Park() { parked_ = true; }
  bool parked() const { return parked_; }
  void Unpark() { parked_ = false; }

  // It stands in the budget's line; the ticket's end withdraws it.
  void WaitWith(memory::Ticket ticket) { waiting_ = std::move(ticket); }
  bool waiting() const { return waiting_.has_value(); }
  void StopWaiting() {
    parked_ = false;
    waiting_.reset();
  }

  // The credit was taken from what the call had, not granted for this item.
  void SetFromLimit() { from_limit_ = true; }

  // Counts it as something to read.
  void AddTo(Unread& unread) const {
    unread.credit += credit_;
    if (from_limit_) unread.from_limit += credit_;
  }

  // Counts bytes that came. INVALID_ARGUMENT: they came without credit, or are more than was announced.
  absl::Status Receive(uint64_t bytes) {
    if (bytes == 0) return absl::OkStatus();
    if (!started()) {
      return absl::InvalidArgumentError(absl::StrCat(what_, " ", id_, ": ", bytes, " bytes came before credit for its ",
                                                     size_, " bytes was granted"));
    }
    if (bytes > remaining()) {
      return absl::InvalidArgumentError(absl::StrCat(what_, " ", id_, ": ", bytes, " more bytes after ", received_,
                                                     " exceed its announced size of ", size_));
    }
    received_ += bytes;
    return absl::OkStatus();
  }

  // It flows on the connection's credit, which is what lists of holders call it until it gets a name of its own.
  bool on_float() const { return float_backing_.has_value(); }
  void NameHolder(const memory::HolderName& holder) { float_backing_->set_holder(holder); }

  // What the item keeps reserved; it has none afterwards.
  std::optional<memory::Reservation> TakeFloatBacking() { return std::exchange(float_backing_, std::nullopt); }
  std::optional<memory::Reservation> TakeHeld() { return std::exchange(held_, std::nullopt); }

 private:
  const char* what_;
  uint64_t id_;
  uint64_t size_;
  uint64_t credit_;
  uint64_t received_ = 0;
  bool started_ = false;
  bool parked_ = false;
  bool from_limit_ = false;
  std::optional<memory::Reservation> float_backing_;
  std::optional<memory::Reservation> held_;
  std::optional<memory::Ticket> waiting_;
};

}  // namespace pagewire::transport
