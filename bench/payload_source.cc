#include "payload_source.h"

#include <pagewire/payload_buffer.h>

#include <algorithm>
#include <utility>

namespace pagewire::bench {
namespace {

Payload Filled(uint64_t bytes, uint64_t seed) {
  PayloadBuffer buffer = PayloadBuffer::Allocate(bytes);
  FillBytes(buffer.data(), bytes, seed);
  return std::move(buffer).Freeze();
}

}  // namespace

PayloadSource::PayloadSource(uint64_t bytes, int count, bool touch) : bytes_(bytes), touch_(touch) {
  for (int i = 0; i < count && !touch; ++i) same_.push_back(Filled(bytes, 0));
}

Payload PayloadSource::Next(uint64_t seed) const { return touch_ ? Filled(bytes_, seed) : same_[seed % same_.size()]; }

Payload PieceMaker::Next() {
  if (left_ == 0) return Payload();
  const Payload piece = source_.Next(seed_);
  const uint64_t size = std::min(left_, piece.size());
  left_ -= size;
  return piece.Slice(0, size);
}

void PayloadTaker::Take(const Payload& payload) {
  bytes_ += payload.size();
  if (!touch_) return;
  for (const absl::Span<const char> span : payload.spans()) reader_.Read(span.data(), span.size());
}

}  // namespace pagewire::bench
