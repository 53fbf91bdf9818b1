// The service of semantics.proto in the callback form.
#pragma once

#include <pagewire/pagewire.h>

#include <functional>

#include "semantics.pagewire.h"

namespace pagewire::semantics {

class CallbackSemantics final : public Semantics::CallbackService {
 public:
  using StatusDone = absl::AnyInvocable<void(absl::Status)>;
  void Echo(ServerContext& context, const Item& item, Payload payload,
            absl::AnyInvocable<void(absl::StatusOr<WithPayload<Item>>)> done) override;
  void Produce(ServerContext& context, const Order& order, AsyncServerWriter<Item> writer, StatusDone done) override;
  void Collect(ServerContext& context, AsyncServerReader<Item> reader,
               absl::AnyInvocable<void(absl::StatusOr<Summary>)> done) override;
  void Chat(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream, StatusDone done) override;
  void ChatPayloads(ServerContext& context, AsyncServerReaderWriter<WithPayload<Item>, WithPayload<Item>> stream,
                    StatusDone done) override;
  void Hang(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream, StatusDone done) override;
  void Throw(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream, StatusDone done) override;
};

}  // namespace pagewire::semantics
