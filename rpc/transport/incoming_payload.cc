#include "transport/incoming_payload.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "transport/page.h"

namespace pagewire::transport {
namespace {

// A large payload is received into blocks of this size: small enough that a block just given back is still in cache
// when the next one is taken, large enough that its bookkeeping costs nothing.
constexpr uint64_t kBlockBytes = 1 << 20;

}  // namespace

IncomingPayload::IncomingPayload(uint64_t payload_id, uint64_t call_id, uint64_t size, memory::Pool& pool,
                                 CopyReason reason)
    : item_("payload", payload_id, size), call_id_(call_id), pool_(pool), reason_(reason) {
  report_.payload_bytes = size;
  report_.receive_path = ReceivePath::kCopy;
  report_.began = absl::Now();
}

void IncomingPayload::Discard() {
  discarded_ = true;
  builder_ = memory::PayloadBuilder();
  block_.reset();
  item_.TakeHeld();
}

absl::Status IncomingPayload::Place(uint64_t length, std::vector<iovec>& places) {
  report_.copied_bytes[static_cast<size_t>(reason_)] += length;
  if (discarded_) return absl::OkStatus();
  while (length > 0) {
    if (!block_.has_value()) {
      absl::StatusOr<memory::Block> block =
          pool_.TryAllocate(std::min(kBlockBytes, RoundUpToPage(item_.size() - placed_)));
      if (!block.ok()) {
        Discard();
        places.clear();
        return block.status();
      }
      block_.emplace(*std::move(block));
      block_used_ = 0;
    }
    const size_t size = std::min<uint64_t>({length, kBlockBytes - block_used_, item_.size() - placed_});
    places.push_back({block_->data() + block_used_, size});
    block_used_ += size;
    placed_ += size;
    length -= size;
    if (block_used_ == kBlockBytes || placed_ == item_.size()) {
      builder_.Append(*std::move(block_), block_used_);
      block_.reset();
    }
  }
  return absl::OkStatus();
}

absl::Status IncomingPayload::AppendTail(std::string_view tail) {
  std::vector<iovec> places;
  const absl::Status placed = Place(tail.size(), places);
  report_.copied_bytes[static_cast<size_t>(reason_)] -= tail.size();
  report_.copied_bytes[static_cast<size_t>(CopyReason::kTail)] += tail.size();
  for (const iovec& place : places) {
    std::memcpy(place.iov_base, tail.data(), place.iov_len);
    tail.remove_prefix(place.iov_len);
  }
  return placed;
}

Payload IncomingPayload::Finish() {
  report_.finished = absl::Now();
  std::optional<memory::Reservation> reservation = item_.TakeHeld();
  if (!reservation.has_value()) reservation = item_.TakeFloatBacking();
  if (reservation.has_value()) builder_.Attach(*std::move(reservation));
  return std::move(builder_).Build();
}

}  // namespace pagewire::transport
