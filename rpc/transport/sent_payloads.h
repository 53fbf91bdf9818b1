// What we have sent of payloads, and what the peer and the kernel have said of it since.
#pragma once

#include <pagewire/transfer_report.h>
#include <pagewire/transfer_totals.h>

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/pooled_map.h"
#include "pagewire/wire.pb.h"
#include "transport/ack_ledger.h"
#include "transport/ack_waiters.h"
#include "transport/byte_stream.h"
#include "transport/outgoing_call.h"
#include "transport/peer_paths.h"
#include "transport/send_window.h"
#include "transport/session_view.h"

namespace pagewire::transport {

// Not thread-safe: used by whoever drives the connection.
class SentPayloads {
 public:
  SendWindow& window() { return window_; }
  const SendWindow& window() const { return window_; }
  AckLedger& ledger() { return ledger_; }
  const AckLedger& ledger() const { return ledger_; }
  AckWaiters& waiters() { return waiters_; }

  // What measured payloads cost is told; null: nobody.
  void TellCosts(std::shared_ptr<PeerPaths> learner) { learner_ = std::move(learner); }

  // All of the payload is on its way. Its report is kept until its receipt, or until Forget.
  void Add(uint64_t call_id, SentPayload payload);
  void Forget(uint64_t payload_id);

  // Of the payloads that are complete: by their receipts, or as far as was known when they were forgotten.
  TransferTotals totals() const { return totals_ == nullptr ? TransferTotals() : *totals_; }

  // Appends the payloads that wait for their receipts, and those of which memory is still referenced.
  void Describe(std::vector<TransferView>& transfers) const;

  // Called with a call and the report of its payload, which is final now.
  using OnReport = absl::FunctionRef<void(uint64_t call_id, const TransferReport& report)>;

  // Takes an ACK frame. `last_payload_id`: the last one that was sent. INVALID_ARGUMENT when the peer claims what was
  // never sent.
  absl::Status OnAck(const wire::v1::Ack& ack, uint64_t last_payload_id, OnReport on_report);

  // Takes what the kernel has let go of. What it copied all the same is counted in the payloads' reports, as `copied`.
  void TakeReleased(ByteStream& stream, CopyReason copied);

  // The connection is dead; waiters are told. What the kernel may still look at stays in the ledger.
  void OnDead();

 private:
  struct Sent {
    uint64_t call_id = 0;
    std::shared_ptr<TransferReport> report;
    PathChooser::Group group = 0;
    uint64_t acks_before = 0;  // that the window had counted when the payload began
    uint64_t end = 0;          // see SentPayload
  };
  void Count(const TransferReport& report);
  void TakeReceipt(const wire::v1::Receipt& receipt, OnReport on_report);

  std::shared_ptr<PeerPaths> learner_;
  SendWindow window_;
  AckLedger ledger_;
  AckWaiters waiters_;
  base::PooledMap<uint64_t, Sent> sent_;
  std::unique_ptr<TransferTotals> totals_;  // null: of none
  std::vector<Released> released_;          // its memory is reused
};

}  // namespace pagewire::transport
