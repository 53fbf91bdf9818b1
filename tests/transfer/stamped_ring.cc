#include "transfer/stamped_ring.h"

#include <pagewire/payload_buffer.h>

#include <cstdlib>
#include <string_view>
#include <utility>

namespace pagewire::transfer {
namespace {

bool SendsBy(std::string_view name) {
  const char* path = std::getenv("PAGEWIRE_SEND_PATH");
  return path != nullptr && path == name;
}

}  // namespace

StampedRing::StampedRing(int buffers, uint64_t buffer_bytes, Reuse reuse) : reuse_(reuse) {
  base::MutexLock lock(mutex_);
  for (int i = 0; i < buffers; ++i) {
    buffers_.push_back(SendsBy("file") ? ReusedBuffer::InFile(buffer_bytes) : ReusedBuffer::InMemory(buffer_bytes));
    Poison(buffers_.back()->bytes());
    free_.push_back(buffers_.back().get());
  }
}

StampedRing::~StampedRing() {
  base::MutexLock lock(mutex_);
  while (free_.size() < buffers_.size()) changed_.Wait(mutex_);
}

Payload StampedRing::Make(const StampOf& stamp, uint64_t size, uint64_t offset) {
  ReusedBuffer* buffer = nullptr;
  {
    base::MutexLock lock(mutex_);
    while (free_.empty()) changed_.Wait(mutex_);
    buffer = free_.back();
    free_.pop_back();
  }
  WriteStamps(stamp, buffer->bytes().subspan(offset, size));
  return buffer->Lend(offset, size, [this, buffer] {
    if (reuse_ == Reuse::kSamePages || !buffer->LeavePages()) Poison(buffer->bytes());
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

bool OnlyPooled() { return SendsBy("splice"); }

Payload MakePooled(const StampOf& stamp, uint64_t size) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(size);
  WriteStamps(stamp, absl::MakeSpan(buffer.data(), buffer.size()));
  return std::move(buffer).Freeze();
}

}  // namespace pagewire::transfer
