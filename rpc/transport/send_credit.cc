#include "transport/send_credit.h"

#include <algorithm>

namespace pagewire::transport {

SendCredit::SendCredit(uint64_t connection_limit, uint64_t initial_call_limit)
    : connection_limit_(connection_limit), initial_call_limit_(initial_call_limit) {}

void SendCredit::RaiseInitial(uint64_t connection_limit, uint64_t initial_call_limit) {
  connection_limit_ = std::max(connection_limit_, connection_limit);
  initial_call_limit_ = std::max(initial_call_limit_, initial_call_limit);
}

uint64_t SendCredit::CallLimit(const Call& call) const { return std::max(call.granted, initial_call_limit_); }

bool SendCredit::Take(Call& call, uint64_t bytes) {
  if (bytes > CallLimit(call) - call.taken || bytes > connection_available()) return false;
  call.taken += bytes;
  connection_taken_ += bytes;
  return true;
}

bool SendCredit::TryTake(uint64_t call_id, uint64_t bytes) {
  Call& call = calls_[call_id];
  if (call.waiting.has_value()) return false;
  return Take(call, bytes);
}

bool SendCredit::TakeOnce(uint64_t bytes) {
  if (bytes > initial_call_limit_ || bytes > connection_available()) return false;
  connection_taken_ += bytes;
  return true;
}

void SendCredit::Wait(uint64_t call_id, uint64_t bytes) { calls_[call_id].waiting = bytes; }

bool SendCredit::OnGrant(uint64_t connection_limit, uint64_t call_id, uint64_t call_limit) {
  const uint64_t raise = connection_limit > connection_limit_ ? connection_limit - connection_limit_ : 0;
  connection_limit_ += raise;
  if (call_id == 0) return false;
  const auto it = calls_.find(call_id);
  if (raise == 0) {
    if (it != calls_.end()) it->second.granted = std::max(it->second.granted, call_limit);
    return false;
  }
  if (it == calls_.end() || !it->second.waiting.has_value()) {
    // The item was withdrawn while its grant was under way; the receiver has counted it as started.
    connection_taken_ += raise;
    if (it != calls_.end()) {
      it->second.granted = std::max(it->second.granted, call_limit);
      it->second.taken = std::min(it->second.taken + raise, CallLimit(it->second));
    }
    return false;
  }
  Call& call = it->second;
  call.granted = std::max(call.granted, call_limit);
  if (!Take(call, *call.waiting)) return false;
  call.waiting.reset();
  return true;
}

void SendCredit::StopWaiting(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  if (it != calls_.end()) it->second.waiting.reset();
}

uint64_t SendCredit::Forget(uint64_t call_id) {
  const auto it = calls_.find(call_id);
  if (it == calls_.end()) return 0;
  const uint64_t taken = it->second.taken;
  calls_.erase(it);
  return taken;
}

}  // namespace pagewire::transport
