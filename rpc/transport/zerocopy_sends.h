// Which sends the kernel still holds memory for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace pagewire::transport {

// The kernel numbers the MSG_ZEROCOPY sends of a socket that succeed, 32 bits from 0 on, wrapping around, and reports
// ranges of numbers on the socket's error queue, in any order and each number once. This keeps what each number stands
// for. One object per descriptor, for as long as the descriptor lives. Not thread-safe.
class ZerocopySends {
 public:
  // `next_id`: the number of the first send; 0 for a new socket.
  explicit ZerocopySends(uint32_t next_id = 0) : first_id_(next_id) {}

  // Before the send, so that no completion can come first. Undo right after it if it failed: failed sends get no
  // number.
  void Register(uint64_t tag) { sends_.push_back({tag, 0, true}), ++outstanding_; }
  void Undo() { sends_.pop_back(), --outstanding_; }

  // Of the send registered last.
  void SetBytes(size_t bytes) { sends_.back().bytes = bytes; }

  // The kernel has reported the numbers from `first` to `last`: calls `released(tag, bytes)` for each. Numbers that are
  // not outstanding are passed over. Returns how many were.
  template <typename F>
  size_t Complete(uint32_t first, uint32_t last, F released) {
    size_t count = 0;
    for (uint32_t id = first;; ++id) {
      const uint32_t index = id - first_id_;  // modulo 2^32: the distance from the oldest one outstanding
      if (index < sends_.size() && sends_[index].outstanding) {
        sends_[index].outstanding = false;
        --outstanding_;
        ++count;
        released(sends_[index].tag, sends_[index].bytes);
      }
      if (id == last) break;
    }
    while (!sends_.empty() && !sends_.front().outstanding) {
      sends_.pop_front();
      ++first_id_;
    }
    return count;
  }

  // Sends whose completion has not come.
  size_t outstanding() const { return outstanding_; }

 private:
  struct Send {
    uint64_t tag;
    size_t bytes;
    bool outstanding;
  };
  uint32_t first_id_;  // the number of sends_.front()
  std::deque<Send> sends_;
  size_t outstanding_ = 0;
};

}  // namespace pagewire::transport
