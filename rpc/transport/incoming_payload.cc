#include "transport/incoming_payload.h"

#include <utility>
#include <vector>

namespace pagewire::transport {

IncomingPayload::IncomingPayload(uint64_t payload_id, uint64_t call_id, uint64_t size, const Way& way)
    : item_("payload", payload_id, size, size),
      call_id_(call_id),
      reason_(way.reason),
      pieces_(*way.pool),
      arena_(way.arena) {
  report_.payload_bytes = size;
  report_.receive_path = way.arena != nullptr ? ReceivePath::kMap : ReceivePath::kCopy;
  report_.began = absl::Now();
  if (way.arena != nullptr) map_.emplace(size, *way.arena, pieces_, report_);
  report_.digest = way.digest;
  if (way.digest) digest_.emplace();
  if (way.measure) measured_.emplace(report_.receive_cpu_ns);
}

void IncomingPayload::DigestNew() {
  if (!digest_.has_value() || discarded_) return;
  pieces_.VisitNew([this](const char* data, size_t size) { digest_->Update(data, size); });
}

std::optional<wire::v1::Digest> IncomingPayload::digest() const {
  if (!digest_.has_value() || discarded_) return std::nullopt;
  return digest_->Get();
}

void IncomingPayload::Discard() {
  discarded_ = true;
  map_.reset();
  pieces_.Take();
  item_.TakeHeld();
}

void IncomingPayload::Fail(absl::Status failure) {
  failure_ = std::move(failure);
  Discard();
}

ChunkTarget* IncomingPayload::BeginChunk(uint64_t length) {
  ChunkTarget* const target = Place(length);
  if (target == nullptr || !measured_.has_value()) return target;
  measured_->Wrap(target);
  return &*measured_;
}

void IncomingPayload::CountReturn() {
  if (measured_.has_value() && arena_ != nullptr)
    report_.receive_cpu_ns += arena_->CostOfReturning(report_.mapped_bytes);
}

ChunkTarget* IncomingPayload::Place(uint64_t length) {
  ++report_.chunks;
  if (!discarded_ && map_.has_value()) {
    placed_ += length;
    map_->BeginChunk();
    return &*map_;
  }
  copied(reason_) += length;
  if (discarded_) return nullptr;
  CopyTarget::Places places;
  if (absl::Status placed = pieces_.Place(length, item_.size() - placed_, places); !placed.ok()) {
    Fail(std::move(placed));
    return nullptr;
  }
  placed_ += length;
  copy_.SetPlaces(std::move(places));
  return &copy_;
}

void IncomingPayload::EndChunk() {
  if (map_.has_value() && !map_->failure().ok()) return Fail(map_->failure());
  DigestNew();  // while the chunk is in the cache
}

void IncomingPayload::AppendTail(std::string_view tail) {
  copied(CopyReason::kTail) += tail.size();
  if (discarded_ || tail.empty()) return;
  CopyTarget::Places places;
  if (absl::Status placed = pieces_.Place(tail.size(), tail.size(), places); !placed.ok()) {
    return Fail(std::move(placed));
  }
  copy_.SetPlaces(std::move(places));
  copy_.Append(tail);
  DigestNew();
}

Payload IncomingPayload::Finish(absl::AnyInvocable<void()> released) {
  report_.finished = absl::Now();
  memory::PayloadBuilder builder = pieces_.Take();
  std::optional<memory::Reservation> reservation = item_.TakeHeld();
  if (!reservation.has_value()) reservation = item_.TakeFloatBacking();
  if (reservation.has_value()) {
    reservation->SetDelivered();
    builder.Attach(*std::move(reservation));
  }
  if (released != nullptr) builder.OnReleased(std::move(released));
  return std::move(builder).Build();
}

}  // namespace pagewire::transport
