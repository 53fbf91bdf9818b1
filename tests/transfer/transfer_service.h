// The server's half of the transfer tests.
#pragma once

#include <pagewire/pagewire.h>

#include <cstdint>

#include "transfer.pagewire.h"
#include "transfer/payload_keeper.h"
#include "transfer/pour.h"
#include "transfer/stamped_ring.h"

namespace pagewire::transfer {

inline constexpr uint64_t kMostPayloadBytes = 8 << 20;

class TransferService final : public Transfer::Service {
 public:
  // Spend takes what comes as fast as it can; but `slow_bytes` bytes, once it has taken `slow_from`, at
  // `bytes_per_second`, and then it takes a break.
  struct Pace {
    uint64_t slow_from = 0;
    uint64_t slow_bytes = 0;  // 0: never slow, no break
    uint64_t bytes_per_second = 0;
    absl::Duration pause;
  };
  explicit TransferService(const Pace& pace) : pace_(pace) {}

  absl::StatusOr<PutReply> Put(ServerContext& context, const PutRequest& request, Payload payload) override;
  absl::StatusOr<WithPayload<GetReply>> Get(ServerContext& context, const GetRequest& request) override;
  absl::StatusOr<ReportReply> Report(ServerContext& context, const ReportRequest& request) override;
  absl::StatusOr<SpendReply> Spend(ServerContext& context, const SpendRequest& request, Payload payload) override;
  absl::StatusOr<Poured> Pour(ServerContext& context, const Poured& request, ServerReader<Payload>& pieces) override;
  absl::Status Draw(ServerContext& context, const Poured& request, ServerPieceWriter<Poured>& pieces) override;

 private:
  const Pace pace_;
  StampedRing ring_{4, kMostPayloadBytes + 4096};
  PayloadKeeper keeper_;
  base::Mutex spending_;  // one at a time
  uint64_t spent_ ABSL_GUARDED_BY(spending_) = 0;
  uint64_t touched_ ABSL_GUARDED_BY(spending_) = 0;  // so that the reading is not optimised away
  bool paused_ ABSL_GUARDED_BY(spending_) = false;
};

}  // namespace pagewire::transfer
