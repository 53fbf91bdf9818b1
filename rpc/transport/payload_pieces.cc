#include "transport/payload_pieces.h"

#include <algorithm>
#include <utility>

#include "transport/page.h"

namespace pagewire::transport {
namespace {

// A large payload is received into blocks of this size: small enough that a block just given back is still in cache
// when the next one is taken, large enough that its bookkeeping costs nothing.
constexpr uint64_t kBlockBytes = 1 << 20;

}  // namespace

absl::Status PayloadPieces::Place(uint64_t length, uint64_t expected, CopyTarget::Places& places) {
  SealMapped();
  while (length > 0) {
    if (!block_.has_value()) {
      absl::StatusOr<memory::Block> block = pool_.TryAllocate(std::min(kBlockBytes, RoundUpToPage(expected)));
      if (!block.ok()) return block.status();
      block_.emplace(*std::move(block));
      block_used_ = 0;
    }
    const size_t size = std::min<uint64_t>({length, expected, block_->capacity() - block_used_});
    places.push_back({block_->data() + block_used_, size});
    block_used_ += size;
    expected -= size;
    length -= size;
    if (block_used_ == block_->capacity() || expected == 0) SealBlock();
  }
  return absl::OkStatus();
}

void PayloadPieces::AppendMapped(const char* data, size_t bytes, const std::shared_ptr<const ArenaRange>& range) {
  if (bytes == 0) return;
  SealBlock();
  if (mapped_range_ == range && mapped_.data() + mapped_.size() == data) {
    mapped_ = absl::MakeConstSpan(mapped_.data(), mapped_.size() + bytes);
    return;
  }
  SealMapped();
  mapped_ = absl::MakeConstSpan(data, bytes);
  mapped_range_ = range;
}

memory::PayloadBuilder PayloadPieces::Take() {
  SealBlock();
  SealMapped();
  return std::exchange(builder_, memory::PayloadBuilder());
}

void PayloadPieces::SealBlock() {
  if (!block_.has_value()) return;
  builder_.Append(*std::move(block_), block_used_);
  block_.reset();
}

void PayloadPieces::SealMapped() {
  builder_.AppendMapped(mapped_, std::exchange(mapped_range_, nullptr));
  mapped_ = {};
}

}  // namespace pagewire::transport
