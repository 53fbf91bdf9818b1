// One payload on its way in: where its bytes go, and what becomes of them.
#pragma once

#include <pagewire/payload.h>
#include <pagewire/transfer_report.h>
#include <sys/uio.h>

#include <absl/status/status.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "payload/payload_builder.h"
#include "payload/pool.h"
#include "transport/incoming_item.h"

namespace pagewire::transport {

// Receive path `copy`: bytes are received straight into pooled, page-aligned blocks. A payload that nobody wants any
// more is drained: it has no places for its bytes, which are only counted.
class IncomingPayload {
 public:
  // `reason` says why whole pages are copied and not mapped.
  IncomingPayload(uint64_t payload_id, uint64_t call_id, uint64_t size, memory::Pool& pool, CopyReason reason);

  IncomingItem& item() { return item_; }
  uint64_t call_id() const { return call_id_; }
  uint64_t offset() const { return item_.received(); }

  // Its memory and what was granted for it go back at once: places given out before are not valid any more.
  void Discard();
  bool discarded() const { return discarded_; }

  // Appends the places for the next `length` bytes, which are inside the payload and were counted by
  // item().Receive; they must be filled before the next call. No places for a payload that is discarded.
  // RESOURCE_EXHAUSTED, and `places` are empty, when there is no memory: the payload is then discarded.
  absl::Status Place(uint64_t length, std::vector<iovec>& places);

  // Appends the payload's last bytes, which came inside a frame.
  absl::Status AppendTail(std::string_view tail);

  void CountChunk() { ++report_.chunks; }

  // The whole payload; everything announced has come. Its memory keeps the reservation until the last handle goes.
  Payload Finish();

  const TransferReport& report() const { return report_; }

 private:
  IncomingItem item_;
  const uint64_t call_id_;
  memory::Pool& pool_;
  const CopyReason reason_;
  bool discarded_ = false;
  memory::PayloadBuilder builder_;
  std::optional<memory::Block> block_;  // being filled
  size_t block_used_ = 0;
  uint64_t placed_ = 0;
  TransferReport report_;
};

}  // namespace pagewire::transport
