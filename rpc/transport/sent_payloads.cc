#include "transport/sent_payloads.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "wire/copy_reason.h"

namespace pagewire::transport {

namespace {

// A peer that lies about what it spends spoils the choice for its own host only.
PathChooser::Sample SampleOf(const TransferReport& report) {
  const bool by_kernel =
      report.send_path == SendPath::kZerocopy && 2 * report.kernel_copied_bytes > report.payload_bytes;
  return {
      .bytes = report.payload_bytes,
      .elapsed_ns = static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Nanoseconds(absl::Now() - report.began), 1)),
      .cpu_ns = report.send_cpu_ns + report.receive_cpu_ns,
      .refused = report.receive_path == ReceivePath::kMap && report.mapped_bytes == 0,
      .copied = by_kernel};
}

}  // namespace

void SentPayloads::Add(uint64_t call_id, SentPayload payload) {
  const uint64_t acks_before = std::exchange(payload.report->acks, 0);
  sent_.insert_or_assign(payload.payload_id,
                         Sent{call_id, std::move(payload.report), payload.group, acks_before, payload.end});
}

void SentPayloads::Forget(uint64_t payload_id) {
  const auto it = sent_.find(payload_id);
  if (it == sent_.end()) return;
  Count(*it->second.report);
  sent_.erase(it);
}

void SentPayloads::Count(const TransferReport& report) {
  if (totals_ == nullptr) totals_ = std::make_unique<TransferTotals>();
  totals_->Add(report);
}

void SentPayloads::Describe(std::vector<TransferView>& transfers) const {
  absl::flat_hash_map<uint64_t, size_t> positions;
  for (const auto& [payload_id, sent] : sent_) {
    TransferView view;
    view.place = {true, payload_id};
    view.Take(*sent.report);
    view.call_id = sent.call_id;
    view.phase = TransferView::Phase::kUnacknowledged;
    view.moved_bytes = view.bytes;
    view.acknowledged_bytes = view.bytes - std::min(view.bytes, sent.end - std::min(sent.end, window_.received()));
    positions.emplace(payload_id, transfers.size());
    transfers.push_back(std::move(view));
  }
  for (size_t i = 0; i < transfers.size(); ++i) positions.emplace(transfers[i].place.payload_id, i);
  ledger_.VisitHolds([&](const AckLedger::Chunk& chunk) {
    const auto [it, added] = positions.try_emplace(chunk.payload_id, transfers.size());
    if (added) {
      TransferView view;
      view.place = {true, chunk.payload_id};
      view.call_id = chunk.call_id;
      if (chunk.report != nullptr) view.Take(*chunk.report);
      view.phase = TransferView::Phase::kReferenced;
      view.moved_bytes = view.acknowledged_bytes = view.bytes;
      transfers.push_back(std::move(view));
    }
    transfers[it->second].referenced_bytes += chunk.bytes;
    if (transfers[it->second].phase == TransferView::Phase::kReferenced && chunk.end > window_.received()) {
      TransferView& view = transfers[it->second];
      view.acknowledged_bytes -= std::min(view.acknowledged_bytes, chunk.bytes);
    }
  });
}

absl::Status SentPayloads::OnAck(const wire::v1::Ack& ack, uint64_t last_payload_id, OnReport on_report) {
  const uint64_t in_flight = window_.in_flight();
  if (!window_.OnReceived(ack.received_bytes())) {
    return absl::InvalidArgumentError(absl::StrCat("ACK: claims ", ack.received_bytes(),
                                                   " bytes received, more than were ever sent (", in_flight,
                                                   " are in flight)"));
  }
  ledger_.OnPeerReceived(window_.received());
  waiters_.OnPeerReceived(window_.received());
  for (const wire::v1::Receipt& receipt : ack.receipts()) {
    if (receipt.payload_id() > last_payload_id) {
      return absl::InvalidArgumentError(
          absl::StrCat("ACK: a receipt for payload ", receipt.payload_id(), ", which was never sent"));
    }
    TakeReceipt(receipt, on_report);
    waiters_.OnReceipt(receipt.payload_id());
  }
  for (const wire::v1::IdRange& range : ack.released()) {
    if (range.last() > last_payload_id) {
      return absl::InvalidArgumentError(
          absl::StrCat("ACK: claims the release of payload ", range.last(), ", which was never sent"));
    }
    ledger_.OnPeerReleased(range.first(), range.last());
    waiters_.OnPeerReleased(range.first(), range.last());
  }
  return absl::OkStatus();
}

void SentPayloads::TakeReceipt(const wire::v1::Receipt& receipt, OnReport on_report) {
  const auto it = sent_.find(receipt.payload_id());
  if (it == sent_.end()) return;
  const Sent sent = std::move(it->second);
  sent_.erase(it);
  TransferReport& report = *sent.report;
  report.receive_path = wire::FromWire(receipt.receive_path()).value_or(ReceivePath::kAuto);
  report.mapped_bytes = receipt.mapped_bytes();
  for (const wire::v1::CopiedBytes& copied : receipt.copied()) {
    if (const auto reason = wire::FromWire(copied.reason())) {
      report.copied_bytes[static_cast<size_t>(*reason)] = copied.bytes();
    }
  }
  report.acks = window_.acks() - sent.acks_before;
  report.receive_cpu_ns = receipt.cpu_ns();
  if (sent.group != 0 && learner_ != nullptr) learner_->OnSample(sent.group, SampleOf(report));
  Count(report);
  on_report(sent.call_id, report);
}

void SentPayloads::TakeReleased(ByteStream& stream, CopyReason copied) {
  if (stream.unreleased() == 0) return;
  released_.clear();
  stream.TakeReleased(released_);
  for (const Released& released : released_) {
    TransferReport* report = released.copied ? ledger_.report(released.tag) : nullptr;
    if (report != nullptr) report->CountKernelCopy(copied, released.bytes);
    ledger_.OnKernelReleased(released.tag);
  }
}

void SentPayloads::OnDead() {
  ledger_.OnDead();
  waiters_.OnDead();
}

}  // namespace pagewire::transport
