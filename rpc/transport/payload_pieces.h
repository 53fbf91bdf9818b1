// A payload that comes piece by piece, some of it copied, some of it mapped.
#pragma once

#include <sys/uio.h>

#include <absl/status/status.h>
#include <absl/types/span.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "payload/payload_builder.h"
#include "payload/pool.h"
#include "transport/arena.h"
#include "transport/copy_target.h"

namespace pagewire::transport {

// Pieces are added in the payload's order. Not thread-safe.
class PayloadPieces {
 public:
  explicit PayloadPieces(memory::Pool& pool) : pool_(pool) {}

  // Appends places for the next `length` bytes, which must be filled before anything else is added. `expected` >=
  // `length`: so many bytes are likely to be copied in a row, this and later calls together. RESOURCE_EXHAUSTED when
  // the pool has no memory; some places may have been appended.
  absl::Status Place(uint64_t length, uint64_t expected, CopyTarget::Places& places);

  // The next `bytes` bytes lie at `data`, in `range`.
  void AppendMapped(const char* data, size_t bytes, const std::shared_ptr<const ArenaRange>& range);

  // Passes the bytes that were added since the last call, all of which have been filled, to `take(data, size)`.
  template <typename Take>
  void VisitNew(Take take) {
    for (; visited_ < builder_.pieces(); ++visited_, visited_bytes_ = 0) Visit(builder_.piece(visited_), take);
    if (block_.has_value()) Visit(absl::MakeConstSpan(block_->data(), block_used_), take);
    Visit(mapped_, take);
  }

  // What there is. The pieces are empty afterwards.
  memory::PayloadBuilder Take();

 private:
  // Of the piece that is visited next; one that grows becomes the builder's next.
  template <typename Take>
  void Visit(absl::Span<const char> piece, Take& take) {
    const absl::Span<const char> rest = piece.subspan(std::min(visited_bytes_, piece.size()));
    if (rest.empty()) return;
    take(rest.data(), rest.size());
    visited_bytes_ = piece.size();
  }
  void SealBlock();
  void SealMapped();

  memory::Pool& pool_;
  memory::PayloadBuilder builder_;
  std::optional<memory::Block> block_;  // being filled
  size_t block_used_ = 0;
  absl::Span<const char> mapped_;  // growing
  std::shared_ptr<const ArenaRange> mapped_range_;
  size_t visited_ = 0;  // pieces of the builder
  size_t visited_bytes_ = 0;
};

}  // namespace pagewire::transport
