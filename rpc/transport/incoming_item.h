// One message or payload on its way in: how large it is, how much has come, and the bytes reserved for it.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "payload/budget.h"

namespace pagewire::transport {

class IncomingItem {
 public:
  IncomingItem(const char* what, uint64_t id, uint64_t size) : what_(what), id_(id), size_(size) {}

  uint64_t size() const { return size_; }
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
    waiting_.reset();
  }
  bool started() const { return started_; }

  // It stands in the budget's line; the ticket's end withdraws it.
  void WaitWith(memory::Ticket ticket) { waiting_ = std::move(ticket); }
  bool waiting() const { return waiting_.has_value(); }
  void StopWaiting() { waiting_.reset(); }

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

  // What the item keeps reserved; it has none afterwards.
  std::optional<memory::Reservation> TakeFloatBacking() { return std::exchange(float_backing_, std::nullopt); }
  std::optional<memory::Reservation> TakeHeld() { return std::exchange(held_, std::nullopt); }

 private:
  const char* what_;
  uint64_t id_;
  uint64_t size_;
  uint64_t received_ = 0;
  bool started_ = false;
  std::optional<memory::Reservation> float_backing_;
  std::optional<memory::Reservation> held_;
  std::optional<memory::Ticket> waiting_;
};

}  // namespace pagewire::transport
