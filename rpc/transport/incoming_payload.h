// One payload on its way in: where its bytes go, and what becomes of them.
#pragma once

#include <pagewire/payload.h>
#include <pagewire/transfer_report.h>

#include <absl/status/status.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "payload/pool.h"
#include "transport/copy_target.h"
#include "transport/incoming_item.h"
#include "transport/map_target.h"
#include "transport/measured_target.h"
#include "transport/payload_digest.h"
#include "transport/payload_pieces.h"

namespace pagewire::transport {

// A payload that nobody wants any more is drained: it has no target for its bytes, which are only counted.
class IncomingPayload {
 public:
  // How the whole pages of a payload are taken.
  struct Way {
    memory::Pool* pool = nullptr;
    Arena* arena = nullptr;                   // null: they are copied
    CopyReason reason = CopyReason::kPolicy;  // why, then
    bool digest = false;                      // computed as the bytes come
    bool measure = false;                     // what receiving it costs
  };

  IncomingPayload(uint64_t payload_id, uint64_t call_id, uint64_t size, const Way& way);
  IncomingPayload(const IncomingPayload&) = delete;
  IncomingPayload& operator=(const IncomingPayload&) = delete;

  IncomingItem& item() { return item_; }
  const IncomingItem& item() const { return item_; }
  uint64_t call_id() const { return call_id_; }
  bool maps() const { return arena_ != nullptr; }
  uint64_t offset() const { return item_.received(); }

  // Its memory and what was granted for it go back at once: the target is not valid any more.
  void Discard();
  bool discarded() const { return discarded_; }

  // Where the next chunk goes, of `length` bytes, which are inside the payload and were counted by item().Receive. Null
  // for a payload that is discarded, and when there is no memory, which discards it; see failure().
  ChunkTarget* BeginChunk(uint64_t length);

  // The chunk is whole. A payload for which there was no memory is discarded.
  void EndChunk();

  // Why the payload had to be discarded: RESOURCE_EXHAUSTED. OK otherwise.
  const absl::Status& failure() const { return failure_; }

  // Appends the payload's last bytes, which came inside a frame.
  void AppendTail(std::string_view tail);

  // What the bytes that have come amount to; nothing if that was not asked for, or when the payload was discarded.
  std::optional<wire::v1::Digest> digest() const;

  // What receiving it cost, as far as that was asked for, and what giving back its memory will cost, as that was on the
  // average. To be called once everything has come.
  void CountReturn();

  // The whole payload; everything announced has come. Its memory keeps the reservation until the last handle goes.
  // `released` runs once when it has gone, or if there is nothing to hold; see PayloadBuilder::OnReleased.
  Payload Finish(absl::AnyInvocable<void()> released);

  const TransferReport& report() const { return report_; }

 private:
  void Fail(absl::Status failure);
  void DigestNew();
  ChunkTarget* Place(uint64_t length);
  uint64_t& copied(CopyReason reason) { return report_.copied_bytes[static_cast<size_t>(reason)]; }

  IncomingItem item_;
  const uint64_t call_id_;
  const CopyReason reason_;
  PayloadPieces pieces_;
  TransferReport report_;
  CopyTarget copy_;
  std::optional<MapTarget> map_;
  std::optional<MeasuredTarget> measured_;
  Arena* const arena_;
  std::optional<PayloadDigest> digest_;
  uint64_t placed_ = 0;  // bytes that have got a place
  bool discarded_ = false;
  absl::Status failure_;
};

}  // namespace pagewire::transport
