// Does what jobs say, and checks what comes with them: DATA_LOSS for a wrong byte.
#pragma once

#include <pagewire/pagewire.h>

#include "bench.pagewire.h"

namespace pagewire::bench {

class BenchService final : public Bench::Service {
 public:
  absl::StatusOr<WithPayload<Done>> Unary(ServerContext& context, const Job& job, Payload payload) override;
  absl::StatusOr<Done> Collect(ServerContext& context, ServerReader<WithPayload<Job>>& reader) override;
  absl::Status Produce(ServerContext& context, const Job& job, ServerWriter<WithPayload<Done>>& writer) override;
  absl::Status Chat(ServerContext& context, ServerReaderWriter<WithPayload<Done>, WithPayload<Job>>& stream) override;
  absl::StatusOr<Done> Pour(ServerContext& context, const Job& job, ServerReader<Payload>& pieces) override;
  absl::Status Draw(ServerContext& context, const Job& job, ServerPieceWriter<Done>& pieces) override;
};

}  // namespace pagewire::bench
