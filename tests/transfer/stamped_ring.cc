#include "transfer/stamped_ring.h"

#include <pagewire/payload_buffer.h>

#include <cstdlib>
#include <utility>

namespace pagewire::transfer {

StampedRing::StampedRing(int buffers, uint64_t buffer_bytes) : buffer_bytes_(buffer_bytes) {
  base::MutexLock lock(mutex_);
  for (int i = 0; i < buffers; ++i) {
    memory_.emplace_back(static_cast<char*>(std::aligned_alloc(4096, buffer_bytes)), std::free);
    Poison(absl::MakeSpan(memory_.back().get(), buffer_bytes));
    free_.push_back(memory_.back().get());
  }
}

StampedRing::~StampedRing() {
  base::MutexLock lock(mutex_);
  while (free_.size() < memory_.size()) changed_.Wait(mutex_);
}

Payload StampedRing::Make(const StampOf& stamp, uint64_t size, uint64_t offset) {
  char* buffer = nullptr;
  {
    base::MutexLock lock(mutex_);
    while (free_.empty()) changed_.Wait(mutex_);
    buffer = free_.back();
    free_.pop_back();
  }
  WriteStamps(stamp, absl::MakeSpan(buffer + offset, size));
  return Payload::FromExternal(buffer + offset, size, [this, buffer] {
    Poison(absl::MakeSpan(buffer, buffer_bytes_));
    base::MutexLock lock(mutex_);
    free_.push_back(buffer);
    ++released_;
    changed_.NotifyAll();
  });
}

uint64_t StampedRing::released() {
  base::MutexLock lock(mutex_);
  return released_;
}

Payload MakePooled(const StampOf& stamp, uint64_t size) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(size);
  WriteStamps(stamp, absl::MakeSpan(buffer.data(), buffer.size()));
  return std::move(buffer).Freeze();
}

}  // namespace pagewire::transfer
