// What a connection looks like at one moment, for whoever asks: plain values.
#pragma once

#include <pagewire/paths.h>
#include <pagewire/peer_identity.h>
#include <pagewire/transfer_report.h>
#include <pagewire/transfer_totals.h>

#include <absl/time/time.h>

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace pagewire::transport {

// Times are base::CoarseNow.
struct SessionView {
  std::string peer;
  std::string local;  // empty: it has no name
  PeerIdentity identity;
  std::string encryption;  // empty: none
  bool same_host = false;
  absl::Time began;

  bool ready = false;    // the peer has spoken
  bool closing = false;  // the last bytes are on their way, or it fails

  // Negotiated.
  bool digests = false;
  SendPath send_path = SendPath::kAuto;  // as asked for
  ReceivePath receive_path = ReceivePath::kAuto;
  bool zerocopy_possible = false;
  bool splice_possible = false;
  bool map_possible = false;
  CopyReason without = CopyReason::kPolicy;  // why what is not possible is not
  bool whole_page_segments = false;
  uint64_t peer_window = 0;
  uint64_t peer_max_chunk = 0;

  // In the session's life.
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_payload_bytes = 0;
  uint64_t received_payload_bytes = 0;
  uint64_t calls_begun = 0;
  TransferTotals transfers_sent;
  TransferTotals transfers_received;

  uint64_t send_credit = 0;
  uint64_t receive_credit = 0;
  uint64_t window_in_flight = 0;
  uint64_t window_limit = 0;
  uint64_t referenced_bytes = 0;
  uint64_t control_bytes_waiting = 0;
  uint64_t budget = 0;  // Budget::id
};

// What a call has moved, as credit counts it: whole items from their beginning on.
struct CallTraffic {
  absl::Time began = absl::InfiniteFuture();  // base::CoarseNow; infinite: the session does not know the call
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  uint64_t waiting_for_credit = 0;
};

// A payload's place in lists of transfers: those received come before those sent.
struct TransferPlace {
  bool sent = false;
  uint64_t payload_id = 0;

  friend auto operator<=>(const TransferPlace&, const TransferPlace&) = default;
};

struct TransferView {
  enum class Phase {
    kWaitingForCredit,
    kMoving,
    kUnacknowledged,  // sent whole; no receipt
    kReferenced,      // sent; memory of ours is still looked at
    kDiscarded,       // received, and nobody wants it
  };
  TransferPlace place;
  uint64_t call_id = 0;  // it may be over
  Phase phase = Phase::kMoving;
  absl::Time began;  // as absl::Now
  uint64_t bytes = 0;
  uint64_t moved_bytes = 0;
  uint64_t acknowledged_bytes = 0;  // sent: at least so many
  uint64_t referenced_bytes = 0;
  uint64_t chunks = 0;
  SendPath send_path = SendPath::kAuto;
  ReceivePath receive_path = ReceivePath::kAuto;
  std::array<uint64_t, kCopyReasonCount> copied = {};  // by our side

  void Take(const TransferReport& report) {
    began = report.began;
    bytes = report.payload_bytes;
    chunks = report.chunks;
    send_path = report.send_path;
    receive_path = report.receive_path;
    copied = place.sent ? report.kernel_copied_by_reason : report.copied_bytes;
  }
};

}  // namespace pagewire::transport
