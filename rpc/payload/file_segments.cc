#include "payload/file_segments.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "payload/page.h"

namespace pagewire::memory {
namespace {

// As much as one write moves: more per system call gains nothing, and a few of them fill a device's queue.
constexpr uint64_t kSegmentBytes = 1 << 20;
constexpr size_t kMaxIovecs = 1024;  // IOV_MAX

uint64_t RoundUpToPage(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }
bool IsAligned(const char* data) { return reinterpret_cast<uintptr_t>(data) % kPageBytes == 0; }

}  // namespace

void FileSegment::Advance(uint64_t written) {
  offset += written;
  bytes -= written;
  size_t whole = 0;
  while (whole < iovecs.size() && written >= iovecs[whole].iov_len) written -= iovecs[whole++].iov_len;
  iovecs.erase(iovecs.begin(), iovecs.begin() + static_cast<ptrdiff_t>(whole));
  if (written == 0) return;
  iovecs.front().iov_base = static_cast<char*>(iovecs.front().iov_base) + written;
  iovecs.front().iov_len -= written;
}

absl::Span<const char> FileSegments::InSpan(uint64_t most) const {
  return spans_[span_].subspan(in_span_, std::min<uint64_t>(most, spans_[span_].size() - in_span_));
}

void FileSegments::Skip(uint64_t bytes) {
  left_ -= bytes;
  in_span_ += bytes;
  if (in_span_ < spans_[span_].size()) return;
  ++span_;
  in_span_ = 0;
}

absl::StatusOr<FileSegment> FileSegments::Next() {
  FileSegment segment;
  segment.offset = offset_;
  // Where the bytes lie, as far as that is allowed.
  while (left_ > 0 && segment.bytes < kSegmentBytes && segment.iovecs.size() < kMaxIovecs) {
    absl::Span<const char> part = InSpan(kSegmentBytes - segment.bytes);
    if (direct_) {
      if (!IsAligned(part.data())) break;
      part = part.first(part.size() / kPageBytes * kPageBytes);
      if (part.empty()) break;
    }
    segment.iovecs.push_back({const_cast<char*>(part.data()), part.size()});
    segment.bytes += part.size();
    Skip(part.size());
  }
  if (segment.bytes == 0) {
    // Whole pages of bytes that lie anyhow, or the last page.
    const uint64_t bytes = std::min(left_, kSegmentBytes);
    absl::StatusOr<PayloadBuffer> copy = PayloadBuffer::TryAllocate(RoundUpToPage(bytes));
    if (!copy.ok()) return std::move(copy).status();
    for (uint64_t at = 0; at < bytes;) {
      const absl::Span<const char> part = InSpan(bytes - at);
      std::memcpy(copy->data() + at, part.data(), part.size());
      at += part.size();
      Skip(part.size());
    }
    std::memset(copy->data() + bytes, 0, copy->size() - bytes);
    segment.bytes = copy->size();
    segment.iovecs.push_back({copy->data(), copy->size()});
    segment.copy = *std::move(copy);
  }
  offset_ += segment.bytes;
  return segment;
}

}  // namespace pagewire::memory
