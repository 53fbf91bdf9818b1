#include "transport/write_batch.h"

#include <utility>

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

void WriteBatch::AppendChunk(PayloadCursor& cursor, uint64_t length, ChunkSend send) {
  SealHead();
  sealed_bytes_ += length;
  const bool zerocopy = send.choice.path != SendPath::kCopy;
  if (zerocopy && !segments_.empty()) segments_.back().ends_record = true;
  if (!zerocopy && send.report != nullptr) send.report->CountKernelCopy(send.choice.reason, length);
  const AckLedger::HoldId hold =
      ledger_.Add({send.choice.path, cursor.payload(), send.payload_id, length, send.end, std::move(send.report)});
  cursor.Advance(length, [&](const char* data, size_t size) { segments_.push_back({data, 0, size, hold, zerocopy}); });
  segments_.back().ends_chunk = true;
  segments_.back().ends_record = zerocopy;
}

// What one write takes: as many segments as go the same way.
void WriteBatch::GatherRun(bool& ends_record) {
  iovecs_.clear();
  ends_record = false;
  for (size_t i = first_; i < segments_.size() && iovecs_.size() < kIovecsPerWrite && !ends_record; ++i) {
    const Segment& segment = segments_[i];
    if (segment.zerocopy != segments_[first_].zerocopy) break;
    const char* data = segment.data != nullptr ? segment.data : head_.data() + segment.offset;
    iovecs_.push_back({const_cast<char*>(data), segment.size});
    ends_record = segment.ends_record;
  }
}

IoResult WriteBatch::WriteTo(ByteStream& stream) {
  SealHead();
  while (first_ < segments_.size()) {
    WriteOptions options;
    GatherRun(options.end_of_record);
    IoResult result;
    if (const Segment& segment = segments_[first_]; segment.zerocopy) {
      const AckLedger::HoldId hold = segment.hold;
      ledger_.OnReference(hold);  // before the kernel can say that it has let go
      result = stream.WriteZerocopy(iovecs_, options, hold);
      if (result.state != IoState::kOk) ledger_.OnKernelReleased(hold);
    } else {
      result = stream.Write(iovecs_, options);
    }
    if (result.state == IoState::kMustCopy) {
      CopyChunk(result.reason);
      continue;
    }
    if (result.state != IoState::kOk) return result;
    Advance(result.bytes);
  }
  Clear();
  return IoResult::Ok(0);
}

void WriteBatch::Advance(size_t written) {
  sealed_bytes_ -= written;
  while (first_ < segments_.size() && written >= segments_[first_].size) {
    const Segment& segment = segments_[first_++];
    written -= segment.size;
    if (segment.ends_chunk) ledger_.OnHandedOver(segment.hold);
  }
  if (written == 0) return;
  Segment& partial = segments_[first_];
  if (partial.data != nullptr) {
    partial.data += written;
  } else {
    partial.offset += written;
  }
  partial.size -= written;
}

// What is left of the chunk that is under way goes by copying.
void WriteBatch::CopyChunk(CopyReason reason) {
  const AckLedger::HoldId hold = segments_[first_].hold;
  TransferReport* report = ledger_.report(hold);
  for (size_t i = first_; i < segments_.size() && segments_[i].hold == hold; ++i) {
    segments_[i].zerocopy = false;
    if (report != nullptr) report->CountKernelCopy(reason, segments_[i].size);
  }
}

void WriteBatch::Clear() {
  head_.clear();
  sealed_head_ = sealed_bytes_ = first_ = 0;
  segments_.clear();
}

}  // namespace pagewire::transport
