#include "transport/write_batch.h"

namespace pagewire::transport {
namespace {

// As many as one system call takes (IOV_MAX).
constexpr size_t kIovecsPerWrite = 1024;

}  // namespace

void WriteBatch::SealHead() {
  if (head_.size() == sealed_head_) return;
  segments_.push_back({nullptr, sealed_head_, head_.size() - sealed_head_});
  sealed_bytes_ += head_.size() - sealed_head_;
  sealed_head_ = head_.size();
}

void WriteBatch::AppendPayload(PayloadCursor& cursor, uint64_t length) {
  SealHead();
  sealed_bytes_ += length;
  cursor.Advance(length, [this](const char* data, size_t size) { segments_.push_back({data, 0, size}); });
  held_.push_back(cursor.payload());
}

IoResult WriteBatch::WriteTo(ByteStream& stream) {
  SealHead();
  while (first_ < segments_.size()) {
    iovecs_.clear();
    for (size_t i = first_; i < segments_.size() && iovecs_.size() < kIovecsPerWrite; ++i) {
      const Segment& segment = segments_[i];
      const char* data = segment.data != nullptr ? segment.data : head_.data() + segment.offset;
      iovecs_.push_back({const_cast<char*>(data), segment.size});
    }
    const IoResult result = stream.Write(iovecs_, WriteOptions{});
    if (result.state != IoState::kOk) return result;
    size_t written = result.bytes;
    sealed_bytes_ -= written;
    while (first_ < segments_.size() && written >= segments_[first_].size) written -= segments_[first_++].size;
    if (written > 0) {
      Segment& partial = segments_[first_];
      if (partial.data != nullptr) {
        partial.data += written;
      } else {
        partial.offset += written;
      }
      partial.size -= written;
    }
  }
  Clear();
  return IoResult{IoState::kOk, 0, absl::OkStatus()};
}

void WriteBatch::Clear() {
  head_.clear();
  sealed_head_ = sealed_bytes_ = first_ = 0;
  segments_.clear();
  held_.clear();
}

}  // namespace pagewire::transport
