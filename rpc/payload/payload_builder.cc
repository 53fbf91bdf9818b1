#include "payload/payload_builder.h"

#include <algorithm>
#include <utility>

#include "payload/payload_rep.h"

namespace pagewire::memory {

class PayloadBuilder::ReleaseHook {
 public:
  explicit ReleaseHook(absl::AnyInvocable<void()> released) : released_(std::move(released)) {}
  ReleaseHook(const ReleaseHook&) = delete;
  ReleaseHook& operator=(const ReleaseHook&) = delete;
  ~ReleaseHook() { std::move(released_)(); }

 private:
  absl::AnyInvocable<void()> released_;
};

// Members go in reverse order: memory first, then its charge, then word of both.
struct PayloadBuilder::Piece {
  std::shared_ptr<ReleaseHook> hook;
  Reservation share;
  Block block;
  std::shared_ptr<const void> owner;
  absl::Span<const char> bytes;
};

void PayloadBuilder::Append(Block block, size_t used) {
  if (used == 0) return;
  auto piece = std::make_shared<Piece>();
  piece->bytes = {block.data(), used};
  piece->block = std::move(block);
  pieces_.push_back(std::move(piece));
  size_ += used;
}

void PayloadBuilder::AppendExternal(absl::Span<const char> bytes, std::shared_ptr<const void> owner) {
  if (bytes.empty()) return;
  auto piece = std::make_shared<Piece>();
  piece->bytes = bytes;
  piece->owner = std::move(owner);
  pieces_.push_back(std::move(piece));
  size_ += bytes.size();
}

void PayloadBuilder::Attach(Reservation reservation) { reservation_.Merge(std::move(reservation)); }

void PayloadBuilder::OnReleased(absl::AnyInvocable<void()> released) {
  hook_ = std::make_shared<ReleaseHook>(std::move(released));
}

Payload PayloadBuilder::Build() && {
  internal::PayloadRep rep;
  for (const std::shared_ptr<Piece>& piece : pieces_) {
    const bool last = piece == pieces_.back();
    piece->share = reservation_.Split(last ? reservation_.bytes()
                                           : std::min<uint64_t>(reservation_.bytes(), piece->bytes.size()));
    piece->hook = hook_;
    rep.Append(piece->bytes, piece);
  }
  pieces_.clear();
  reservation_ = Reservation();
  hook_.reset();
  return internal::PayloadAccess::Make(std::move(rep));
}

}  // namespace pagewire::memory
