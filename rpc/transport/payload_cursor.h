// A place in a payload that only moves forward.
#pragma once

#include <pagewire/payload.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "payload/payload_rep.h"
#include "payload/span_owner.h"

namespace pagewire::transport {

// Remembers its span, so that walking a payload of many spans chunk by chunk costs no search.
class PayloadCursor {
 public:
  explicit PayloadCursor(Payload payload) : payload_(std::move(payload)) {}

  const Payload& payload() const { return payload_; }
  uint64_t offset() const { return offset_; }
  uint64_t remaining() const { return payload_.size() - offset_; }

  // Passes the next `length` bytes, piece by piece, to `take(const char* data, size_t size)`. length <= remaining().
  template <typename Take>
  void Advance(uint64_t length, Take take) {
    AdvanceOwned(length, [&](const char* data, size_t size, const memory::SpanOwner&) { take(data, size); });
  }

  // The same with the owner of each piece: `take(const char* data, size_t size, const memory::SpanOwner& owner)`.
  template <typename Take>
  void AdvanceOwned(uint64_t length, Take take) {
    offset_ += length;
    if (length == 0) return;
    const internal::PayloadRep& rep = *internal::PayloadAccess::Rep(payload_);
    const auto spans = rep.spans();
    while (length > 0) {
      const auto span = spans[span_];
      const size_t size = std::min<uint64_t>(length, span.size() - in_span_);
      take(span.data() + in_span_, size, *rep.owner(span_));
      length -= size;
      in_span_ += size;
      if (in_span_ == span.size()) {
        ++span_;
        in_span_ = 0;
      }
    }
  }

 private:
  Payload payload_;
  uint64_t offset_ = 0;
  size_t span_ = 0;
  size_t in_span_ = 0;
};

}  // namespace pagewire::transport
