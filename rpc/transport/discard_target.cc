#include "transport/discard_target.h"

#include <algorithm>

namespace pagewire::transport {
namespace {

// Small, so that it stays in cache.
constexpr size_t kScratchBytes = 64 << 10;

}  // namespace

ChunkTarget::Result DiscardTarget::Receive(ByteStream& stream, uint64_t remaining, absl::Span<char>) {
  if (scratch_ == nullptr) scratch_ = std::make_unique<char[]>(kScratchBytes);
  const iovec into = {scratch_.get(), static_cast<size_t>(std::min<uint64_t>(remaining, kScratchBytes))};
  return {stream.Read({&into, 1}), 0};
}

}  // namespace pagewire::transport
