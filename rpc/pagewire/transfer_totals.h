// What happened to many payloads.
#pragma once

#include <pagewire/paths.h>
#include <pagewire/transfer_report.h>

#include <absl/time/time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace pagewire {

// Sums of transfer reports, of payloads that went one way. A plain value. Of a piecewise payload each piece counts.
struct TransferTotals {
  uint64_t payloads = 0;
  uint64_t payload_bytes = 0;

  // How many payloads took which paths. A receiver does not know the send path: kAuto.
  std::array<std::array<uint64_t, kReceivePathCount>, kSendPathCount> payloads_by_path = {};

  // See TransferReport.
  uint64_t mapped_bytes = 0;
  std::array<uint64_t, kCopyReasonCount> copied_bytes = {};             // indexed by CopyReason
  std::array<uint64_t, kCopyReasonCount> kernel_copied_by_reason = {};  // indexed by CopyReason
  uint64_t chunks = 0;
  uint64_t acks = 0;

  // When the first of them was announced, and when the last byte of all was handed to, or taken from, the kernel.
  absl::Time began = absl::InfiniteFuture();
  absl::Time finished = absl::InfinitePast();

  // At the sender, when the peer had last said what became of one of them.
  absl::Time acknowledged = absl::InfinitePast();

  void Add(const TransferReport& report) {
    ++payloads;
    payload_bytes += report.payload_bytes;
    ++payloads_by_path[static_cast<size_t>(report.send_path)][static_cast<size_t>(report.receive_path)];
    AddBytes(report);
    began = std::min(began, report.began);
    if (report.finished != absl::InfiniteFuture()) finished = std::max(finished, report.finished);
  }

  void Add(const TransferTotals& others) {
    payloads += others.payloads;
    payload_bytes += others.payload_bytes;
    for (size_t send = 0; send < kSendPathCount; ++send) {
      for (size_t receive = 0; receive < kReceivePathCount; ++receive) {
        payloads_by_path[send][receive] += others.payloads_by_path[send][receive];
      }
    }
    AddBytes(others);
    began = std::min(began, others.began);
    finished = std::max(finished, others.finished);
    acknowledged = std::max(acknowledged, others.acknowledged);
  }

 private:
  template <typename Other>
  void AddBytes(const Other& other) {
    mapped_bytes += other.mapped_bytes;
    for (size_t reason = 0; reason < kCopyReasonCount; ++reason) {
      copied_bytes[reason] += other.copied_bytes[reason];
      kernel_copied_by_reason[reason] += other.kernel_copied_by_reason[reason];
    }
    chunks += other.chunks;
    acks += other.acks;
  }
};

inline TransferTotals TotalsOf(const TransferReport& report) {
  TransferTotals totals;
  totals.Add(report);
  return totals;
}

}  // namespace pagewire
