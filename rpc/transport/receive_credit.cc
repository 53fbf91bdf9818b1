#include "transport/receive_credit.h"

#include <algorithm>
#include <utility>

namespace pagewire::transport {

ReceiveCredit::ReceiveCredit(memory::Reservation backing)
    : float_(std::move(backing)), connection_limit_(float_.bytes()), announced_limit_(connection_limit_) {}

std::optional<memory::Reservation> ReceiveCredit::Start(Call* call, uint64_t bytes) {
  if (bytes > float_.bytes()) return std::nullopt;
  if (call != nullptr) {
    if (bytes > call->limit - call->started) return std::nullopt;
    call->started += bytes;
  }
  return float_.Split(bytes);
}

void ReceiveCredit::Refill(memory::Reservation backing, uint64_t target) {
  if (float_.bytes() >= target) return;
  const uint64_t kept = std::min(backing.bytes(), target - float_.bytes());
  float_.Merge(backing.Split(kept));
  connection_limit_ += kept;
}

void ReceiveCredit::Grant(Call& call, uint64_t bytes) {
  call.started += bytes;
  call.limit += bytes;
  connection_limit_ += bytes;
}

}  // namespace pagewire::transport
