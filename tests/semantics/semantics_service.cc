#include "semantics/semantics_service.h"

#include <absl/strings/str_cat.h>

#include <stdexcept>
#include <utility>

#include "base/status.h"
#include "integration/blob_service.h"
#include "tls/test_credentials.h"

namespace pagewire::semantics {

absl::Status StatusOf(const Order& order) {
  return absl::Status(static_cast<absl::StatusCode>(order.code()), order.message());
}

Item ItemOf(const Order& order, uint64_t number) {
  Item item;
  item.set_number(number);
  item.set_text(std::string(order.text_size(), 't'));
  return item;
}

void Add(const Item& item, Summary& summary) {
  summary.set_count(summary.count() + 1);
  summary.set_numbers(summary.numbers() + item.number());
}

absl::StatusOr<WithPayload<Item>> SemanticsService::Echo(ServerContext&, const Item& item, Payload payload) {
  if (item.text() == "throw") throw std::runtime_error("out of ideas");
  return WithPayload<Item>{item, std::move(payload)};
}

absl::Status SemanticsService::Produce(ServerContext& context, const Order& order, ServerWriter<Item>& writer) {
  context.AddInitialMetadata("kind", "numbers");
  context.AddTrailingMetadata("count", absl::StrCat(order.count()));
  for (uint64_t i = 0; i < order.count(); ++i) {
    if (absl::Status status = writer.Write(ItemOf(order, i)); !status.ok()) {
      Wrote(base::CloneStatus(status));
      return status;
    }
  }
  return StatusOf(order);
}

absl::Status SemanticsService::ProducePayloads(ServerContext&, const Order& order,
                                               ServerWriter<WithPayload<Item>>& writer) {
  for (uint64_t i = 0; i < order.count(); ++i) {
    absl::Status status = writer.Write(ItemOf(order, i), test::MakePayload(order.payload_size(), i));
    Wrote(base::CloneStatus(status));
    if (!status.ok()) return status;
  }
  return StatusOf(order);
}

absl::StatusOr<Summary> SemanticsService::Collect(ServerContext&, ServerReader<Item>& reader) {
  Summary summary;
  for (;;) {
    absl::StatusOr<std::optional<Item>> item = reader.Read();
    if (!item.ok()) Saw(base::CloneStatus(item.status()));
    if (!item.ok()) return item.status();
    if (!item->has_value()) return summary;
    Add(**item, summary);
    if ((*item)->text() == "enough") return absl::ResourceExhaustedError("no more, please");
    if ((*item)->text() == "fine") return summary;
  }
}

absl::StatusOr<Summary> SemanticsService::CollectPayloads(ServerContext&, ServerReader<WithPayload<Item>>& reader) {
  Summary summary;
  for (;;) {
    absl::StatusOr<std::optional<WithPayload<Item>>> item = reader.Read();
    if (!item.ok()) return item.status();
    if (!item->has_value()) return summary;
    Add((*item)->message, summary);
    summary.set_payload_bytes(summary.payload_bytes() + (*item)->payload.size());
    const uint64_t expected = test::ExpectedHash((*item)->payload.size(), (*item)->message.number());
    if (test::HashOf((*item)->payload) != expected) return absl::DataLossError("wrong bytes");
  }
}

absl::Status SemanticsService::Chat(ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
  for (;;) {
    absl::StatusOr<std::optional<Item>> item = stream.Read();
    if (!item.ok()) return item.status();
    if (!item->has_value()) break;
    if (absl::Status status = stream.Write(**item); !status.ok()) return status;
  }
  context.AddTrailingMetadata("mood-bin", std::string("\0\xff", 2));
  return absl::OkStatus();
}

absl::Status SemanticsService::ChatPayloads(ServerContext&,
                                            ServerReaderWriter<WithPayload<Item>, WithPayload<Item>>& stream) {
  for (;;) {
    absl::StatusOr<std::optional<WithPayload<Item>>> item = stream.Read();
    if (!item.ok()) return item.status();
    if (!item->has_value()) return absl::OkStatus();
    if (absl::Status status = stream.Write((*item)->message, (*item)->payload); !status.ok()) return status;
  }
}

absl::StatusOr<Summary> SemanticsService::Stuck(ServerContext& context, ServerReader<WithPayload<Item>>& reader) {
  go_on.Wait();
  return CollectPayloads(context, reader);
}

absl::Status SemanticsService::Hang(ServerContext& context, ServerReaderWriter<Item, Item>& stream) {
  context.AddInitialMetadata("state", "hanging");
  stream.SendInitialMetadata();
  testing::Latch over;
  context.OnCancelled([&] { over.CountDown(); });
  over.Wait();
  absl::StatusOr<std::optional<Item>> item = stream.Read();
  Saw(base::CloneStatus(item.status()));
  Wrote(stream.Write(Item()));
  base::MutexLock lock(mutex_);
  cancelled_ += context.IsCancelled() ? 1 : 0;
  changed_.NotifyAll();
  return absl::OkStatus();
}

absl::Status SemanticsService::Throw(ServerContext&, ServerReaderWriter<Item, Item>&) {
  throw std::runtime_error("out of ideas");
}

void SemanticsService::Wrote(absl::Status status) {
  base::MutexLock lock(mutex_);
  last_write_ = std::move(status);
}

void SemanticsService::Saw(absl::Status status) {
  base::MutexLock lock(mutex_);
  last_read_ = std::move(status);
}

absl::Status SemanticsService::last_write() const {
  base::MutexLock lock(mutex_);
  return base::CloneStatus(last_write_);
}

absl::Status SemanticsService::last_read() const {
  base::MutexLock lock(mutex_);
  return base::CloneStatus(last_read_);
}

void SemanticsService::AwaitCancelled(int count) const {
  base::MutexLock lock(mutex_);
  while (cancelled_ < count) changed_.Wait(mutex_);
}

void SemanticsTest::SetUp() {
  builder_.AddListeningPort(address(), pagewire::testing::TestServerCredentials(), &port_);
  builder_.RegisterService(&service_);
  absl::StatusOr<std::unique_ptr<Server>> server = builder_.BuildAndStart();
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
}

std::shared_ptr<Channel> SemanticsTest::MakeChannel(const ChannelOptions& options) {
  return CreateCustomChannel("ipv4:" + address(), pagewire::testing::TestChannelCredentials(), options);
}

}  // namespace pagewire::semantics
