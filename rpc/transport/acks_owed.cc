#include "transport/acks_owed.h"

#include <pagewire/internal/block_pool.h>

#include <utility>

#include "wire/frame_encoder.h"

namespace pagewire::transport {
namespace {

// Receipts in one ACK, at 250 bytes the most that one can have, and ranges, at 24: together they fit the body of 64 KiB
// that every peer accepts.
constexpr int kMaxReceipts = 100;
constexpr int kMaxReleasedRanges = 1000;

}  // namespace

bool AcksOwed::AddReceipt(const wire::v1::Receipt& receipt) {
  *ack_.add_receipts() = receipt;
  return ack_.receipts_size() >= kMaxReceipts;
}

absl::AnyInvocable<void()> AcksOwed::TellReleased(uint64_t payload_id) {
  return internal::Box([released = released_, payload_id] { released->Add(payload_id); });
}

void AcksOwed::Append(uint64_t received_bytes, std::string& out) {
  if (!HasNews(received_bytes)) return;
  released_->Take(kMaxReleasedRanges, *ack_.mutable_released());
  AppendFrame(received_bytes, out);
}

void AcksOwed::AppendReleased(uint64_t received_bytes, std::string& out) {
  released_->Take(kMaxReleasedRanges, *ack_.mutable_released());
  if (ack_.released_size() > 0) AppendFrame(received_bytes, out);
  released_->Rearm();
}

void AcksOwed::AppendFrame(uint64_t received_bytes, std::string& out) {
  told_bytes_ = received_bytes;
  ack_.set_received_bytes(received_bytes);
  wire::AppendFrame(wire::FrameType::kAck, 0, ack_, {}, out);
  ack_.Clear();
}

}  // namespace pagewire::transport
