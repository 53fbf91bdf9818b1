// Receive path `map`: the pages of chunks are mapped, not copied.
#pragma once

#include <pagewire/transfer_report.h>

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "transport/arena.h"
#include "transport/chunk_target.h"
#include "transport/copy_target.h"
#include "transport/discard_target.h"
#include "transport/payload_pieces.h"

namespace pagewire::transport {

// For one payload. What cannot be mapped is copied, and counted with its reason. The order of pieces is the payload's,
// whatever happens.
class MapTarget final : public ChunkTarget {
 public:
  // `size`: the payload's. `pieces` and `report` outlive the target, the arena too.
  MapTarget(uint64_t size, Arena& arena, PayloadPieces& pieces, TransferReport& report);

  // Before the bytes of each chunk.
  void BeginChunk();

  Result Receive(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) override;
  void Append(std::string_view bytes) override;

  // RESOURCE_EXHAUSTED when there was no memory for bytes to be copied: the payload is not complete then, and what
  // still comes is thrown away.
  const absl::Status& failure() const { return failure_; }

 private:
  Result Map(ByteStream& stream, uint64_t remaining, absl::Span<char> behind);
  Result Copy(ByteStream& stream, uint64_t remaining, absl::Span<char> behind);
  bool HasRange();
  void MustCopy(uint64_t bytes, CopyReason reason);
  void AfterHole(size_t must_read, uint64_t remaining);
  void CountCopied(size_t bytes);

  const uint64_t size_;
  Arena& arena_;
  PayloadPieces& pieces_;
  TransferReport& report_;
  std::shared_ptr<const ArenaRange> range_;
  size_t range_used_ = 0;
  uint64_t taken_ = 0;        // bytes of the payload
  uint64_t chunk_taken_ = 0;  // bytes of the chunk under way
  uint64_t chunk_mapped_ = 0;
  bool hopeless_ = false;  // a whole chunk had no page to map: the rest of the payload is copied
  CopyReason reason_ = CopyReason::kCompoundPage;  // of what is being copied
  CopyTarget copy_;                                // bytes to copy before mapping is tried again
  DiscardTarget discard_;
  absl::Status failure_;
};

}  // namespace pagewire::transport
