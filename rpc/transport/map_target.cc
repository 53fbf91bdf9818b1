#include "transport/map_target.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "transport/page.h"

namespace pagewire::transport {
namespace {

// Addresses are taken in portions of this size, so that a large payload's pages can go back before all of it does.
constexpr uint64_t kRangeBytes = 1 << 20;

}  // namespace

MapTarget::MapTarget(uint64_t size, Arena& arena, PayloadPieces& pieces, TransferReport& report)
    : size_(size), arena_(arena), pieces_(pieces), report_(report) {}

void MapTarget::BeginChunk() {
  if (chunk_taken_ > 0 && chunk_mapped_ == 0) hopeless_ = true;
  chunk_taken_ = chunk_mapped_ = 0;
}

ChunkTarget::Result MapTarget::Receive(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) {
  if (!failure_.ok()) return discard_.Receive(stream, remaining, behind);
  if (copy_.room() == 0) {
    if (hopeless_) {
      MustCopy(remaining, reason_);
    } else if (remaining < kPageBytes) {
      MustCopy(remaining, CopyReason::kPartialPage);
    } else if (!HasRange()) {
      MustCopy(remaining, CopyReason::kBudget);
    } else {
      return Map(stream, remaining, behind);
    }
  }
  return Copy(stream, remaining, behind);
}

ChunkTarget::Result MapTarget::Map(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) {
  MapRequest request;
  request.address = range_->data() + range_used_;
  request.length = std::min<uint64_t>(RoundDownToPage(remaining), range_->size() - range_used_);
  if (request.length == remaining) request.behind = behind;
  MapResult mapped = stream.Map(request);
  switch (mapped.state) {
    case IoState::kOk:
      break;
    case IoState::kBlocked:
      // All of the chunk is sure to come: one call for it instead of many.
      return {IoResult::Blocked(), 0, remaining};
    case IoState::kMustCopy:
      MustCopy(remaining, CopyReason::kKernelUnsupported);
      return Copy(stream, remaining, behind);
    case IoState::kEnd:
      return {IoResult::End(), 0};
    case IoState::kFailed:
      return {IoResult::Failed(std::move(mapped.error)), 0};
  }
  pieces_.AppendMapped(request.address, mapped.mapped, range_);
  range_used_ += mapped.mapped;
  taken_ += mapped.mapped;
  chunk_taken_ += mapped.mapped;
  chunk_mapped_ += mapped.mapped;
  report_.mapped_bytes += mapped.mapped;
  // Where fewer pages than asked for could be mapped, these are still the chunk's.
  const size_t of_chunk = std::min<uint64_t>(mapped.behind, remaining - mapped.mapped);
  if (of_chunk > 0) {
    Append(std::string_view(behind.data(), of_chunk));
    std::memmove(behind.data(), behind.data() + of_chunk, mapped.behind - of_chunk);
  }
  const uint64_t left = remaining - mapped.mapped - of_chunk;
  if (mapped.must_read > 0 && left > 0) AfterHole(mapped.must_read, left);
  return {IoResult::Ok(mapped.mapped + mapped.behind), mapped.behind - of_chunk};
}

void MapTarget::AfterHole(size_t must_read, uint64_t remaining) {
  const uint64_t into_page = chunk_taken_ % kPageBytes;
  if (into_page == 0) {
    MustCopy(std::min<uint64_t>(must_read, remaining), CopyReason::kCompoundPage);
  } else {
    // Not all that the kernel cannot map from here: from the next page on it may be able to.
    MustCopy(std::min(kPageBytes - into_page, remaining), CopyReason::kUnaligned);
  }
}

bool MapTarget::HasRange() {
  if (range_ != nullptr && range_used_ < range_->size()) return true;
  // Pages that were copied leave the last range too large, which costs addresses only.
  range_ = arena_.TryAllocate(std::min(kRangeBytes, std::max(RoundDownToPage(size_ - taken_), kPageBytes)));
  range_used_ = 0;
  return range_ != nullptr;
}

void MapTarget::MustCopy(uint64_t bytes, CopyReason reason) {
  reason_ = reason;
  CopyTarget::Places places;
  failure_ = pieces_.Place(bytes, bytes, places);
  if (failure_.ok()) copy_.SetPlaces(std::move(places));
}

ChunkTarget::Result MapTarget::Copy(ByteStream& stream, uint64_t remaining, absl::Span<char> behind) {
  if (!failure_.ok()) return discard_.Receive(stream, remaining, behind);
  Result result = copy_.Receive(stream, remaining, behind);
  CountCopied(result.io.bytes - result.behind);
  return result;
}

void MapTarget::Append(std::string_view bytes) {
  if (copy_.room() == 0 && failure_.ok()) MustCopy(bytes.size(), CopyReason::kUnaligned);
  if (!failure_.ok()) return;
  const size_t size = std::min(bytes.size(), copy_.room());
  copy_.Append(bytes.substr(0, size));
  CountCopied(size);
  if (size < bytes.size()) Append(bytes.substr(size));
}

void MapTarget::CountCopied(size_t bytes) {
  taken_ += bytes;
  chunk_taken_ += bytes;
  report_.copied_bytes[static_cast<size_t>(reason_)] += bytes;
}

}  // namespace pagewire::transport
