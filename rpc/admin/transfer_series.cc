#include "admin/transfer_series.h"

#include <pagewire/paths.h>

namespace pagewire::admin {
namespace {

void AddByReason(std::string_view method, const std::array<uint64_t, kCopyReasonCount>& bytes, CounterFamily& family) {
  for (int reason = 0; reason < kCopyReasonCount; ++reason) {
    if (bytes[reason] == 0) continue;
    family.With({method, CopyReasonName(static_cast<CopyReason>(reason))}).Add(bytes[reason]);
  }
}

}  // namespace

TransferSeries TransferSeries::OfSent(FamilyMaker& maker) {
  TransferSeries series;
  series.payloads_ =
      maker.Counters("sent_payloads_total", "Payloads sent, by the paths they took.", {"send_path", "receive_path"});
  series.mapped_bytes_ = maker.Counters("sent_mapped_bytes_total", "Bytes of sent payloads that the receiver mapped.");
  series.copied_bytes_ = maker.Counters("sent_copied_bytes_total",
                                        "Bytes of sent payloads that the receiver copied, by the reason.", {"reason"});
  series.kernel_copied_bytes_ =
      maker.Counters("sent_kernel_copied_bytes_total",
                     "Bytes of sent payloads that the sender's kernel copied, by the reason.", {"reason"});
  return series;
}

TransferSeries TransferSeries::OfReceived(FamilyMaker& maker) {
  TransferSeries series;
  series.payloads_ =
      maker.Counters("received_payloads_total", "Payloads received, by the path they took.", {"receive_path"});
  series.mapped_bytes_ = maker.Counters("received_mapped_bytes_total", "Bytes of received payloads that were mapped.");
  series.copied_bytes_ = maker.Counters("received_copied_bytes_total",
                                        "Bytes of received payloads that were copied, by the reason.", {"reason"});
  return series;
}

void TransferSeries::Add(std::string_view method, const TransferTotals& totals) const {
  AddPaths(method, totals);
  mapped_bytes_->With({method}).Add(totals.mapped_bytes);
  AddByReason(method, totals.copied_bytes, *copied_bytes_);
  if (kernel_copied_bytes_ != nullptr) AddByReason(method, totals.kernel_copied_by_reason, *kernel_copied_bytes_);
}

void TransferSeries::AddPaths(std::string_view method, const TransferTotals& totals) const {
  for (int send = 0; send < kSendPathCount; ++send) {
    for (int receive = 0; receive < kReceivePathCount; ++receive) {
      const uint64_t payloads = totals.payloads_by_path[send][receive];
      if (payloads == 0) continue;
      const std::string_view send_path = SendPathName(static_cast<SendPath>(send));
      const std::string_view receive_path = ReceivePathName(static_cast<ReceivePath>(receive));
      (kernel_copied_bytes_ != nullptr ? payloads_->With({method, send_path, receive_path})
                                       : payloads_->With({method, receive_path}))
          .Add(payloads);
    }
  }
}

}  // namespace pagewire::admin
