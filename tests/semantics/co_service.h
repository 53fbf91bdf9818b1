// The service of semantics.proto as coroutines.
#pragma once

#include <pagewire/pagewire.h>

#include "base/latch.h"
#include "semantics.pagewire.h"

namespace pagewire::semantics {

class CoSemantics final : public Semantics::CoService {
 public:
  Task<absl::StatusOr<WithPayload<Item>>> Echo(ServerContext& context, const Item& item, Payload payload) override;
  Task<absl::Status> Produce(ServerContext& context, const Order& order, AsyncServerWriter<Item> writer) override;
  Task<absl::StatusOr<Summary>> Collect(ServerContext& context, AsyncServerReader<Item> reader) override;
  Task<absl::Status> Chat(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream) override;
  Task<absl::Status> ChatPayloads(ServerContext& context,
                                  AsyncServerReaderWriter<WithPayload<Item>, WithPayload<Item>> stream) override;
  Task<absl::Status> Hang(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream) override;
  Task<absl::Status> Throw(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream) override;

  testing::Latch hang_over;  // Hang's coroutine has ended
};

}  // namespace pagewire::semantics
