// What is behind a Payload: spans, and for each the owner of its memory.
#pragma once

#include <pagewire/payload.h>

#include <absl/container/inlined_vector.h>
#include <absl/types/span.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "payload/span_owner.h"

namespace pagewire::internal {

// Immutable once it is inside a Payload; so its reading needs no lock.
class PayloadRep {
 public:
  PayloadRep() = default;
  PayloadRep(const PayloadRep&) = delete;
  PayloadRep& operator=(const PayloadRep&) = delete;

  // Appends `span`, unless it is empty. The bytes stay as they are until `owner` is destroyed.
  void Append(absl::Span<const char> span, std::shared_ptr<const memory::SpanOwner> owner) {
    if (span.empty()) return;
    size_ += span.size();
    spans_.push_back(span);
    owners_.push_back(std::move(owner));
  }

  uint64_t size() const { return size_; }
  absl::Span<const absl::Span<const char>> spans() const { return spans_; }

  // The owner of spans()[index].
  const std::shared_ptr<const memory::SpanOwner>& owner(size_t index) const { return owners_[index]; }

 private:
  // Most payloads are one block or one piece of external memory.
  absl::InlinedVector<absl::Span<const char>, 1> spans_;
  absl::InlinedVector<std::shared_ptr<const memory::SpanOwner>, 1> owners_;  // parallel to spans_; may repeat
  uint64_t size_ = 0;
};

struct PayloadAccess {
  static Payload Make(std::shared_ptr<const PayloadRep> rep) {
    if (rep->size() == 0) return Payload();
    return Payload(std::move(rep));
  }
  static const PayloadRep* Rep(const Payload& payload) { return payload.rep_.get(); }
};

}  // namespace pagewire::internal
