// What applications hold of a connection's payloads beyond the held budget.
//
// A payload that starts on the connection's float is charged to the held budget if that has room. If not, it keeps what
// it took of the float until its last handle goes, and the float is not made whole for it: the float and these bytes
// together stay within what the float may be. Otherwise a reader that holds what it gets would be fed for as long as
// the process's connection credit lasts, one float after the other.
#pragma once

#include <absl/functional/any_invocable.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace pagewire::transport {

// Add and Remove are for whoever drives the connection; payloads are released in any thread, also when this is gone.
class HeldOnFloat {
 public:
  void Add(uint64_t bytes) {
    if (bytes_ == nullptr) bytes_ = std::make_shared<std::atomic<uint64_t>>(0);
    bytes_->fetch_add(bytes, std::memory_order_relaxed);
  }
  void Remove(uint64_t bytes) { bytes_->fetch_sub(bytes, std::memory_order_relaxed); }

  uint64_t bytes() const { return bytes_ == nullptr ? 0 : bytes_->load(std::memory_order_relaxed); }

  // Bytes that were added and now go with their payload: what is to run, once, when that is released, and then runs
  // `released`. A slice keeps all bytes of its payload.
  absl::AnyInvocable<void()> RemoveOnRelease(uint64_t bytes, absl::AnyInvocable<void()> released) {
    return [all = bytes_, bytes, released = std::move(released)]() mutable {
      all->fetch_sub(bytes, std::memory_order_relaxed);
      released();
    };
  }

 private:
  std::shared_ptr<std::atomic<uint64_t>> bytes_;  // null: there never were any
};

}  // namespace pagewire::transport
