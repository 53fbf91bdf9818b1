// Puts a received payload together.
#pragma once

#include <pagewire/payload.h>

#include <absl/functional/any_invocable.h>
#include <absl/types/span.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "payload/block.h"
#include "payload/reservation.h"

namespace pagewire::memory {

// Takes pieces in order. Each piece carries the share of the reservation that pays for its bytes, and gives it back
// together with its memory, when no handle covers the piece any more: the charge follows the memory that stays alive,
// so a slice of one byte is charged for all bytes of its piece. What the reservation has beyond the payload's size is
// carried by the last piece; where it has less, the last pieces go uncharged.
//
// Not thread-safe. Destroying a builder drops its pieces.
class PayloadBuilder {
 public:
  PayloadBuilder() = default;
  PayloadBuilder(PayloadBuilder&&) = default;
  PayloadBuilder& operator=(PayloadBuilder&&) = default;

  // The first `used` bytes of `block`, <= capacity. With 0 the block goes back at once.
  void Append(Block block, size_t used);

  // Pages that only the kernel has written to, and nobody writes to any more. They stay valid until `owner` is
  // destroyed, which happens on the thread that drops the last handle and must not block.
  void AppendMapped(absl::Span<const char> bytes, std::shared_ptr<const void> owner);

  // Pays for the payload. A second reservation is added to the first.
  void Attach(Reservation reservation);

  // Runs once after all of the payload's memory and reservation have gone back, on the thread that dropped the last
  // handle (for a payload of 0 bytes: inside Build), so it must not block. If the builder is destroyed instead: then.
  void OnReleased(absl::AnyInvocable<void()> released);

  // Bytes so far.
  uint64_t size() const { return size_; }

  // What was appended.
  size_t pieces() const { return pieces_.size(); }
  absl::Span<const char> piece(size_t index) const;

  Payload Build() &&;

 private:
  class ReleaseHook;
  class Piece;

  std::vector<std::shared_ptr<Piece>> pieces_;
  std::shared_ptr<ReleaseHook> hook_;
  Reservation reservation_;
  uint64_t size_ = 0;
};

}  // namespace pagewire::memory
