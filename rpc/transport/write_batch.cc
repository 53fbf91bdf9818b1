#include "transport/write_batch.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "transport/cpu_timer.h"

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
  const SendPath path = send.choice.path;
  const bool by_pages = path != SendPath::kCopy || send.choice.receive == ReceivePath::kMap;
  const bool measured = send.choice.group != 0;
  if (by_pages && !segments_.empty()) segments_.back().ends_record = true;
  if (path == SendPath::kCopy && send.report != nullptr) send.report->CountKernelCopy(send.choice.reason, length);
  const AckLedger::HoldId hold = ledger_.Add({path, cursor.payload(), send.payload_id, length, send.end,
                                              std::move(send.report), std::move(send.source), send.call_id});
  cursor.AdvanceOwned(length, [&](const char* data, size_t size, const memory::SpanOwner& owner) {
    segments_.push_back({data, 0, size, hold, path, path == SendPath::kFile ? owner.file() : nullptr, measured});
  });
  segments_.back().ends_chunk = true;
  segments_.back().ends_record = by_pages;
}

// What one write takes: as many segments as go the same way. The report that it is measured for, or null.
TransferReport* WriteBatch::GatherRun(bool& ends_record) {
  TransferReport* measured = nullptr;
  iovecs_.clear();
  ends_record = false;
  for (size_t i = first_; i < segments_.size() && iovecs_.size() < kIovecsPerWrite && !ends_record; ++i) {
    const Segment& segment = segments_[i];
    if (segment.path != segments_[first_].path) break;
    const char* data = segment.data != nullptr ? segment.data : head_.data() + segment.offset;
    iovecs_.push_back({const_cast<char*>(data), segment.size});
    ends_record = segment.ends_record;
    if (segment.measured && measured == nullptr) measured = ledger_.report(segment.hold);
  }
  return measured;
}

IoResult WriteBatch::WriteTo(ByteStream& stream) {
  SealHead();
  while (first_ < segments_.size()) {
    IoResult result = WriteRun(stream);
    if (result.state == IoState::kMustCopy) {
      CopyChunk(result.reason);
      continue;
    }
    if (result.state == IoState::kEnd) {
      PadChunk();
      continue;
    }
    if (result.state != IoState::kOk) return result;
    Advance(result.bytes);
  }
  Clear();
  return IoResult::Ok(0);
}

IoResult WriteBatch::WriteRun(ByteStream& stream) {
  WriteOptions options;
  TransferReport* const measured = GatherRun(options.end_of_record);
  const CpuTimer timer(measured == nullptr ? nullptr : &measured->send_cpu_ns);
  switch (segments_[first_].path) {
    case SendPath::kZerocopy: {
      const AckLedger::HoldId hold = segments_[first_].hold;
      ledger_.OnReference(hold);  // before the kernel can say that it has let go
      IoResult result = stream.WriteZerocopy(iovecs_, options, hold);
      if (result.state != IoState::kOk) ledger_.OnKernelReleased(hold);
      return result;
    }
    case SendPath::kSplice:
      return stream.WriteSpliced(iovecs_);
    case SendPath::kFile: {
      const Segment& segment = segments_[first_];
      return stream.WriteFile(segment.file->fd(), segment.file->OffsetOf(segment.data), segment.size);
    }
    default:
      return stream.Write(iovecs_, options);
  }
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
    segments_[i].path = SendPath::kCopy;
    if (report != nullptr) report->CountKernelCopy(reason, segments_[i].size);
  }
}

// A chunk that was announced is sent in full, whatever becomes of its file.
void WriteBatch::PadChunk() {
  static const std::vector<char>* const zeros = new std::vector<char>(64 << 10);
  const AckLedger::HoldId hold = segments_[first_].hold;
  if (absl::Status* source = ledger_.source(hold); source != nullptr && source->ok()) {
    const Segment& segment = segments_[first_];
    *source = absl::DataLossError(absl::StrCat("the file could not be read at offset ",
                                               segment.file->OffsetOf(segment.data), "; was it cut short?"));
  }
  std::vector<Segment> padded;
  size_t i = first_;
  for (; i < segments_.size() && segments_[i].hold == hold; ++i) {
    for (size_t left = segments_[i].size; left > 0; left -= padded.back().size) {
      Segment part = segments_[i];
      part.data = zeros->data();
      part.size = std::min(left, zeros->size());
      part.path = SendPath::kCopy;
      part.ends_chunk = segments_[i].ends_chunk && part.size == left;
      part.ends_record = segments_[i].ends_record && part.size == left;
      padded.push_back(part);
    }
  }
  segments_.erase(segments_.begin() + first_, segments_.begin() + i);
  segments_.insert(segments_.begin() + first_, padded.begin(), padded.end());
}

void WriteBatch::Clear() {
  head_.clear();
  sealed_head_ = sealed_bytes_ = first_ = 0;
  segments_.clear();
}

}  // namespace pagewire::transport
