#include "admin_service/show_call.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <string>

#include "admin_service/shown_text.h"
#include "base/coarse_clock.h"

namespace pagewire::admin_service {
namespace {

admin::v1::Call::Phase PhaseOf(call::CallView::Phase phase) {
  using Phase = call::CallView::Phase;
  switch (phase) {
    case Phase::kWaitingForConnection:
      return admin::v1::Call::PHASE_WAITING_FOR_CONNECTION;
    case Phase::kWaitingToRetry:
      return admin::v1::Call::PHASE_WAITING_TO_RETRY;
    case Phase::kSent:
      return admin::v1::Call::PHASE_SENT;
    case Phase::kReceiving:
      return admin::v1::Call::PHASE_RECEIVING;
    case Phase::kRunning:
      return admin::v1::Call::PHASE_RUNNING;
    case Phase::kEnded:
      return admin::v1::Call::PHASE_ENDED;
    case Phase::kAnswered:
      return admin::v1::Call::PHASE_ANSWERED;
  }
  return admin::v1::Call::PHASE_UNSPECIFIED;
}

admin::v1::Transfer::Phase PhaseOf(transport::TransferView::Phase phase) {
  using Phase = transport::TransferView::Phase;
  switch (phase) {
    case Phase::kWaitingForCredit:
      return admin::v1::Transfer::PHASE_WAITING_FOR_CREDIT;
    case Phase::kMoving:
      return admin::v1::Transfer::PHASE_MOVING;
    case Phase::kUnacknowledged:
      return admin::v1::Transfer::PHASE_UNACKNOWLEDGED;
    case Phase::kReferenced:
      return admin::v1::Transfer::PHASE_REFERENCED;
    case Phase::kDiscarded:
      return admin::v1::Transfer::PHASE_DISCARDED;
  }
  return admin::v1::Transfer::PHASE_UNSPECIFIED;
}

}  // namespace

Moment Moment::Now() { return {base::CoarseNow(), absl::Now()}; }

uint64_t MillisecondsSince(absl::Time then, absl::Time now) {
  return static_cast<uint64_t>(std::max<int64_t>(0, absl::ToInt64Milliseconds(now - then)));
}

admin::v1::Call Show(const call::CallView& view, const Moment& now) {
  admin::v1::Call call;
  call.set_connection(view.place.connection);
  call.set_id(view.place.call);
  call.set_side(view.client ? admin::v1::SIDE_CLIENT : admin::v1::SIDE_SERVER);
  call.set_method(Shown(view.method));
  call.set_peer(Shown(view.peer));
  call.set_phase(PhaseOf(view.phase));
  call.set_age_ms(MillisecondsSince(view.began, now.coarse));
  if (view.deadline != absl::InfiniteFuture()) call.set_left_ms(absl::ToInt64Milliseconds(view.deadline - now.wall));
  call.set_attempt(view.attempt);
  call.set_sent_bytes(view.traffic.sent_bytes);
  call.set_received_bytes(view.traffic.received_bytes);
  call.set_waiting_for_credit(view.traffic.waiting_for_credit);
  return call;
}

admin::v1::Transfer Show(const call::TransferOfCall& view, const Moment& now) {
  const transport::TransferView& from = view.transfer;
  admin::v1::Transfer transfer;
  transfer.set_connection(view.connection);
  transfer.set_payload(from.place.payload_id);
  transfer.set_sent(from.place.sent);
  transfer.set_call(from.call_id);
  transfer.set_method(Shown(view.method));
  transfer.set_peer(Shown(view.peer));
  transfer.set_phase(PhaseOf(from.phase));
  transfer.set_age_ms(MillisecondsSince(from.began, now.wall));
  transfer.set_bytes(from.bytes);
  transfer.set_moved_bytes(from.moved_bytes);
  transfer.set_acknowledged_bytes(from.acknowledged_bytes);
  transfer.set_referenced_bytes(from.referenced_bytes);
  transfer.set_chunks(from.chunks);
  if (from.place.sent) transfer.set_send_path(std::string(SendPathName(from.send_path)));
  if (!from.place.sent) transfer.set_receive_path(std::string(ReceivePathName(from.receive_path)));
  ShowCopied(from.copied, *transfer.mutable_copied());
  return transfer;
}

void ShowCopied(const std::array<uint64_t, kCopyReasonCount>& by_reason,
                google::protobuf::RepeatedPtrField<admin::v1::Copied>& copied) {
  for (size_t reason = 0; reason < by_reason.size(); ++reason) {
    if (by_reason[reason] == 0) continue;
    admin::v1::Copied& entry = *copied.Add();
    entry.set_reason(std::string(CopyReasonName(static_cast<CopyReason>(reason))));
    entry.set_bytes(by_reason[reason]);
  }
}

}  // namespace pagewire::admin_service
