// The receiver's side of credit: what the peer may send, and the memory that is reserved for it.
//
// The float is what the peer may still start without asking: the connection's limit minus the whole sizes of all items
// that have started or were granted. It is always backed by reserved bytes, byte for byte, so that every grant is a
// reservation. What an aborted item does not use is spent all the same: its reservation just goes back.
#pragma once

#include <cstdint>
#include <optional>

#include "payload/budget.h"

namespace pagewire::transport {

// Pure bookkeeping. Not thread-safe: used by whoever drives the connection.
class ReceiveCredit {
 public:
  struct Call {
    explicit Call(uint64_t initial_limit) : limit(initial_limit), announced(initial_limit) {}
    uint64_t limit;        // what the peer may send in this call, in total
    uint64_t announced;    // of it, what the peer was told
    uint64_t started = 0;  // whole sizes of its items so far
  };

  // `backing` is the initial float: its size is the connection's limit that our preface announces.
  explicit ReceiveCredit(memory::Reservation backing);

  // The peer started an item on credit it holds. Its bytes leave the float with their backing; nullopt when the call's
  // limit or the float does not cover it, which is a violation by the peer. `call` is null for a call that is over.
  std::optional<memory::Reservation> Start(Call* call, uint64_t bytes);

  // Puts backing (what Start returned, or a new reservation from the same budget) into the float, which raises the
  // connection's limit. What would make the float larger than `target` is released instead.
  void Refill(memory::Reservation backing, uint64_t target);

  // Grants an item that the peer announced without starting it: both limits rise so that they cover it. Its reservation
  // stays with the item.
  void Grant(Call& call, uint64_t bytes);

  // The application has read an item that was started on the call's limit: as much may come again.
  void Return(Call& call, uint64_t bytes) { call.limit += bytes; }

  uint64_t float_bytes() const { return float_.bytes(); }
  uint64_t connection_limit() const { return connection_limit_; }

  // The connection's limit rose by this much since it was last announced.
  uint64_t unannounced() const { return connection_limit_ - announced_limit_; }
  void SetAnnounced() { announced_limit_ = connection_limit_; }

 private:
  memory::Reservation float_;
  uint64_t connection_limit_;
  uint64_t announced_limit_;
};

}  // namespace pagewire::transport
