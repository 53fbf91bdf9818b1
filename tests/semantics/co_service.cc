#include "semantics/co_service.h"

#include <absl/strings/str_cat.h>

#include <optional>
#include <stdexcept>
#include <utility>

#include "semantics/semantics_service.h"

namespace pagewire::semantics {

Task<absl::StatusOr<WithPayload<Item>>> CoSemantics::Echo(ServerContext&, const Item& item, Payload payload) {
  if (item.text() == "throw") throw std::runtime_error("out of ideas");
  co_return WithPayload<Item>{item, std::move(payload)};
}

Task<absl::Status> CoSemantics::Produce(ServerContext& context, const Order& order, AsyncServerWriter<Item> writer) {
  context.AddInitialMetadata("kind", "numbers");
  context.AddTrailingMetadata("count", absl::StrCat(order.count()));
  for (uint64_t i = 0; i < order.count(); ++i) {
    absl::Status status = co_await writer.Write(ItemOf(order, i));
    if (!status.ok()) co_return status;
  }
  co_return StatusOf(order);
}

Task<absl::StatusOr<Summary>> CoSemantics::Collect(ServerContext&, AsyncServerReader<Item> reader) {
  Summary summary;
  for (;;) {
    absl::StatusOr<std::optional<Item>> item = co_await reader.Read();
    if (!item.ok()) co_return item.status();
    if (!item->has_value()) co_return summary;
    Add(**item, summary);
  }
}

Task<absl::Status> CoSemantics::Chat(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream) {
  for (;;) {
    absl::StatusOr<std::optional<Item>> item = co_await stream.Read();
    if (!item.ok()) co_return item.status();
    if (!item->has_value()) break;
    absl::Status status = co_await stream.Write(**item);
    if (!status.ok()) co_return status;
  }
  context.AddTrailingMetadata("mood-bin", std::string("\0\xff", 2));
  co_return absl::OkStatus();
}

Task<absl::Status> CoSemantics::ChatPayloads(ServerContext&,
                                             AsyncServerReaderWriter<WithPayload<Item>, WithPayload<Item>> stream) {
  for (;;) {
    absl::StatusOr<std::optional<WithPayload<Item>>> item = co_await stream.Read();
    if (!item.ok()) co_return item.status();
    if (!item->has_value()) co_return absl::OkStatus();
    absl::Status status = co_await stream.Write((*item)->message, std::move((*item)->payload));
    if (!status.ok()) co_return status;
  }
}

Task<absl::Status> CoSemantics::Hang(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream) {
  context.AddInitialMetadata("state", "hanging");
  stream.SendInitialMetadata();
  const absl::Status status = (co_await stream.Read()).status();
  hang_over.CountDown();
  co_return status;
}

Task<absl::Status> CoSemantics::Throw(ServerContext&, AsyncServerReaderWriter<Item, Item> stream) {
  co_await stream.Write(Item());  // so that it has been suspended
  throw std::runtime_error("out of ideas");
}

}  // namespace pagewire::semantics
