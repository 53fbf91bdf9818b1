#include "payload/payload_builder.h"

#include <pagewire/internal/block_pool.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "payload/payload_rep.h"
#include "payload/span_owner.h"

namespace pagewire::memory {

class PayloadBuilder::ReleaseHook {
 public:
  explicit ReleaseHook(absl::AnyInvocable<void()> released) : released_(std::move(released)) {}
  ReleaseHook(const ReleaseHook&) = delete;
  ReleaseHook& operator=(const ReleaseHook&) = delete;
  ~ReleaseHook() { released_(); }

 private:
  absl::AnyInvocable<void()> released_;
};

// Destroyed from the last member to the first: the memory goes back before what pays for it, and both before the hook.
class PayloadBuilder::Piece final : public SpanOwner {
 public:
  ~Piece() override {
    if (given_up.load(std::memory_order_relaxed)) block.DropPages();
  }

  // Nobody writes to mapped pages, so there is nothing to give up.
  bool lendable() const override { return true; }
  void GiveUpPages() const override { given_up.store(true, std::memory_order_relaxed); }

  std::shared_ptr<ReleaseHook> hook;
  Reservation share;
  std::shared_ptr<const void> mapped;
  Block block;
  absl::Span<const char> bytes;
  mutable std::atomic<bool> given_up{false};
};

absl::Span<const char> PayloadBuilder::piece(size_t index) const { return pieces_[index]->bytes; }

void PayloadBuilder::Append(Block block, size_t used) {
  if (used == 0) return;
  auto piece = internal::MakeShared<Piece>();
  piece->bytes = absl::MakeConstSpan(block.data(), used);
  piece->block = std::move(block);
  size_ += used;
  pieces_.push_back(std::move(piece));
}

void PayloadBuilder::AppendMapped(absl::Span<const char> bytes, std::shared_ptr<const void> owner) {
  if (bytes.empty()) return;
  auto piece = internal::MakeShared<Piece>();
  piece->bytes = bytes;
  piece->mapped = std::move(owner);
  size_ += bytes.size();
  pieces_.push_back(std::move(piece));
}

void PayloadBuilder::Attach(Reservation reservation) { reservation_.Merge(std::move(reservation)); }

void PayloadBuilder::OnReleased(absl::AnyInvocable<void()> released) {
  hook_ = internal::MakeShared<ReleaseHook>(std::move(released));
}

Payload PayloadBuilder::Build() && {
  auto rep = internal::MakeShared<internal::PayloadRep>();
  for (std::shared_ptr<Piece>& piece : pieces_) {
    const bool last = &piece == &pieces_.back();
    const uint64_t share = last ? reservation_.bytes() : std::min<uint64_t>(piece->bytes.size(), reservation_.bytes());
    piece->share = reservation_.Split(share);
    piece->hook = hook_;
    const absl::Span<const char> bytes = piece->bytes;
    rep->Append(bytes, std::move(piece));
  }
  pieces_.clear();
  size_ = 0;
  reservation_ = Reservation();
  hook_.reset();
  return internal::PayloadAccess::Make(std::move(rep));
}

}  // namespace pagewire::memory
