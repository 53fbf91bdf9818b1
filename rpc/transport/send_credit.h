// The sender's side of credit: how many bytes the peer allows us to send, per call and on the connection.
//
// An item is one message or one payload of known size. Its bytes start only when the credit of its call and of the
// connection cover all of it; the credit is then taken at once, so that an item that has started can always finish.
// Two items can therefore never block each other half-way. Credit that was taken, or granted by name, is spent, even if
// the item is aborted. See docs/protocol.md, "Credit".
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>

#include <cstdint>
#include <optional>

namespace pagewire::transport {

// Pure bookkeeping. Not thread-safe: used by whoever drives the connection.
class SendCredit {
 public:
  // Until the peer's preface arrives, its floors apply.
  SendCredit(uint64_t connection_limit, uint64_t initial_call_limit);

  // The peer's preface: its limits replace the floors. They never shrink what was granted.
  void RaiseInitial(uint64_t connection_limit, uint64_t initial_call_limit);

  // Takes credit for an item of `bytes`, all of it or nothing. False while another item of the connection waits and
  // would be overtaken by one of the same call, or when a limit does not cover it.
  bool TryTake(uint64_t call_id, uint64_t bytes);

  // The same for the only item that a call will ever have: no record is kept of it.
  bool TakeOnce(uint64_t bytes);

  // Says that an item of the call waits for a grant. One item of a call waits at a time.
  void Wait(uint64_t call_id, uint64_t bytes);

  // Takes a grant. Returns true when it covered the item that the call waits for: its credit has been taken and it may
  // start. A grant that raises the call's limit alone is for items to come. Limits are absolute and never fall: a lower
  // one is old news and changes nothing.
  bool OnGrant(uint64_t connection_limit, uint64_t call_id, uint64_t call_limit);

  // Withdraws the item that waits. If its grant is under way, it will be spent for nothing.
  void StopWaiting(uint64_t call_id);

  // The call is over; its record goes. Returns what its items have taken.
  uint64_t Forget(uint64_t call_id);

  // What items of the call have taken, and what one waits for.
  uint64_t taken(uint64_t call_id) const {
    const auto it = calls_.find(call_id);
    return it == calls_.end() ? 0 : it->second.taken;
  }
  uint64_t waiting(uint64_t call_id) const {
    const auto it = calls_.find(call_id);
    return it == calls_.end() ? 0 : it->second.waiting.value_or(0);
  }

  // Bytes that items not yet started could take now.
  uint64_t connection_available() const { return connection_limit_ - connection_taken_; }
  uint64_t connection_limit() const { return connection_limit_; }

 private:
  struct Call {
    uint64_t granted = 0;  // limit beyond the initial one; 0 while none was named
    uint64_t taken = 0;
    std::optional<uint64_t> waiting;
  };
  uint64_t CallLimit(const Call& call) const;
  bool Take(Call& call, uint64_t bytes);

  uint64_t connection_limit_;
  uint64_t connection_taken_ = 0;
  uint64_t initial_call_limit_;
  absl::flat_hash_map<uint64_t, Call> calls_;
};

}  // namespace pagewire::transport
