// External memory that a test lends to payloads and that must come back exactly once.
#pragma once

#include <pagewire/payload.h>

#include <string>

#include "base/mutex.h"
#include "transport/raw_peer.h"

namespace pagewire::transport::testing {

class LentMemory {
 public:
  explicit LentMemory(size_t size) : bytes_(Pattern(size)) {}
  LentMemory(const LentMemory&) = delete;
  LentMemory& operator=(const LentMemory&) = delete;
  // Waits until everything lent has come back: the executor may still be about to say so.
  ~LentMemory() {
    base::MutexLock lock(mutex_);
    while (returned_ < lent_) changed_.Wait(mutex_);
  }

  const std::string& bytes() const { return bytes_; }

  Payload Lend() {
    {
      base::MutexLock lock(mutex_);
      ++lent_;
    }
    return Payload::FromExternal(bytes_.data(), bytes_.size(), [this] {
      base::MutexLock lock(mutex_);
      ++returned_;
      changed_.NotifyAll();
    });
  }

  // Waits until it has come back; releases run on the executor.
  void AwaitReturn() {
    base::MutexLock lock(mutex_);
    while (returned_ == 0) changed_.Wait(mutex_);
  }

  int returned() {
    base::MutexLock lock(mutex_);
    return returned_;
  }

 private:
  const std::string bytes_;
  base::Mutex mutex_;
  base::CondVar changed_;
  int lent_ = 0;
  int returned_ = 0;
};

// The payload's bytes in one piece.
inline std::string Flat(const Payload& payload) {
  std::string bytes(payload.size(), '\0');
  payload.CopyTo(absl::MakeSpan(bytes));
  return bytes;
}

inline Payload InMemory(std::string bytes) { return Payload::FromCord(absl::Cord(std::move(bytes))); }

}  // namespace pagewire::transport::testing
