#include "semantics/client_forms.h"

#include <future>
#include <optional>

namespace pagewire::semantics {
namespace {

using Numbers = std::vector<uint64_t>;

Item Numbered(uint64_t number) {
  Item item;
  item.set_number(number);
  return item;
}

class BlockingJobs final : public Jobs {
 public:
  explicit BlockingJobs(std::shared_ptr<Channel> channel) : stub_(std::move(channel)) {}

  absl::StatusOr<WithPayload<Item>> Echo(ClientContext& context, const Item& item, Payload payload) override {
    return stub_.Echo(context, item, std::move(payload));
  }

  std::pair<Numbers, absl::Status> Produce(ClientContext& context, const Order& order) override {
    Numbers numbers;
    const auto reader = stub_.Produce(context, order);
    for (;;) {
      absl::StatusOr<std::optional<Item>> item = reader->Read();
      if (!item.ok() || !item->has_value()) return {numbers, reader->Finish()};
      numbers.push_back((*item)->number());
    }
  }

  absl::StatusOr<Summary> Collect(ClientContext& context, uint64_t count) override {
    const auto writer = stub_.Collect(context);
    for (uint64_t i = 1; i <= count; ++i) {
      if (!writer->Write(Numbered(i)).ok()) break;
    }
    return writer->Finish();
  }

  std::pair<Numbers, absl::Status> ChatPayloads(ClientContext& context, const std::vector<Payload>& payloads) override {
    Numbers sizes;
    const auto stream = stub_.ChatPayloads(context);
    for (const Payload& payload : payloads) {
      if (!stream->Write(Item(), payload).ok()) break;
      absl::StatusOr<std::optional<WithPayload<Item>>> item = stream->Read();
      if (!item.ok() || !item->has_value()) break;
      sizes.push_back((*item)->payload.size());
    }
    return {sizes, stream->Finish()};
  }

  absl::Status CancelHanging(ClientContext& context) override {
    const auto stream = stub_.Hang(context);
    if (absl::Status status = stream->WaitForInitialMetadata(); !status.ok()) return status;
    context.TryCancel();
    return stream->Finish();
  }

 private:
  Semantics::Stub stub_;
};

class CallbackJobs final : public Jobs {
 public:
  explicit CallbackJobs(std::shared_ptr<Channel> channel) : stub_(std::move(channel)) {}

  absl::StatusOr<WithPayload<Item>> Echo(ClientContext& context, const Item& item, Payload payload) override {
    std::promise<absl::StatusOr<WithPayload<Item>>> promise;
    stub_.Callback().Echo(context, item, std::move(payload),
                          [&](absl::StatusOr<WithPayload<Item>> reply) { promise.set_value(std::move(reply)); });
    return promise.get_future().get();
  }

  std::pair<Numbers, absl::Status> Produce(ClientContext& context, const Order& order) override {
    struct Producing : std::enable_shared_from_this<Producing> {
      explicit Producing(AsyncClientReader<Item> call) : reader(std::move(call)) {}
      void ReadNext() {
        reader.Read([self = shared_from_this()](absl::StatusOr<std::optional<Item>> item) {
          if (!item.ok() || !item->has_value()) {
            return self->reader.Finish([self](absl::Status status) { self->end.set_value(std::move(status)); });
          }
          self->numbers.push_back((*item)->number());
          self->ReadNext();
        });
      }
      const AsyncClientReader<Item> reader;
      Numbers numbers;
      std::promise<absl::Status> end;
    };
    const auto producing = std::make_shared<Producing>(stub_.Callback().Produce(context, order));
    producing->ReadNext();
    absl::Status status = producing->end.get_future().get();
    return {producing->numbers, std::move(status)};
  }

  // All writes at once: they are sent in order.
  absl::StatusOr<Summary> Collect(ClientContext& context, uint64_t count) override {
    std::promise<absl::StatusOr<Summary>> promise;
    const AsyncClientWriter<Item, Summary> writer = stub_.Callback().Collect(context);
    for (uint64_t i = 1; i <= count; ++i) writer.Write(Numbered(i), nullptr);
    writer.Finish([&](absl::StatusOr<Summary> summary) { promise.set_value(std::move(summary)); });
    return promise.get_future().get();
  }

  std::pair<Numbers, absl::Status> ChatPayloads(ClientContext& context, const std::vector<Payload>& payloads) override {
    struct Chatting : std::enable_shared_from_this<Chatting> {
      Chatting(AsyncClientReaderWriter<WithPayload<Item>, WithPayload<Item>> call, const std::vector<Payload>& all)
          : stream(std::move(call)), payloads(all) {}
      void WriteNext() {
        if (sizes.size() == payloads.size()) return End();
        stream.Write(Item(), payloads[sizes.size()], nullptr);
        stream.Read([self = shared_from_this()](absl::StatusOr<std::optional<WithPayload<Item>>> item) {
          if (!item.ok() || !item->has_value()) return self->End();
          self->sizes.push_back((*item)->payload.size());
          self->WriteNext();
        });
      }
      void End() {
        stream.Finish([self = shared_from_this()](absl::Status status) { self->end.set_value(std::move(status)); });
      }
      const AsyncClientReaderWriter<WithPayload<Item>, WithPayload<Item>> stream;
      const std::vector<Payload>& payloads;
      Numbers sizes;
      std::promise<absl::Status> end;
    };
    const auto chatting = std::make_shared<Chatting>(stub_.Callback().ChatPayloads(context), payloads);
    chatting->WriteNext();
    absl::Status status = chatting->end.get_future().get();
    return {chatting->sizes, std::move(status)};
  }

  absl::Status CancelHanging(ClientContext& context) override {
    std::promise<absl::Status> end;
    {
      const auto stream = stub_.Callback().Hang(context);
      stream.WaitForInitialMetadata([&, stream](absl::Status) {
        context.TryCancel();
        // A call whose Finish is pending needs no handle.
        stream.Finish([&](absl::Status status) { end.set_value(std::move(status)); });
      });
    }
    return end.get_future().get();
  }

 private:
  Semantics::Stub stub_;
};

class CoJobs final : public Jobs {
 public:
  explicit CoJobs(std::shared_ptr<Channel> channel) : stub_(std::move(channel)) {}

  absl::StatusOr<WithPayload<Item>> Echo(ClientContext& context, const Item& item, Payload payload) override {
    return Wait(CoEcho(context, item, std::move(payload)));
  }
  std::pair<Numbers, absl::Status> Produce(ClientContext& context, const Order& order) override {
    return Wait(CoProduce(context, order));
  }
  absl::StatusOr<Summary> Collect(ClientContext& context, uint64_t count) override {
    return Wait(CoCollect(context, count));
  }
  std::pair<Numbers, absl::Status> ChatPayloads(ClientContext& context, const std::vector<Payload>& payloads) override {
    return Wait(CoChat(context, payloads));
  }
  absl::Status CancelHanging(ClientContext& context) override { return Wait(CoCancel(context)); }

 private:
  Task<absl::StatusOr<WithPayload<Item>>> CoEcho(ClientContext& context, const Item& item, Payload payload) {
    co_return co_await stub_.Co().Echo(context, item, std::move(payload));
  }

  Task<std::pair<Numbers, absl::Status>> CoProduce(ClientContext& context, const Order& order) {
    Numbers numbers;
    const AsyncClientReader<Item> reader = stub_.Co().Produce(context, order);
    for (;;) {
      absl::StatusOr<std::optional<Item>> item = co_await reader.Read();
      if (!item.ok() || !item->has_value()) break;
      numbers.push_back((*item)->number());
    }
    absl::Status status = co_await reader.Finish();
    co_return std::pair(std::move(numbers), std::move(status));
  }

  Task<absl::StatusOr<Summary>> CoCollect(ClientContext& context, uint64_t count) {
    const auto writer = stub_.Co().Collect(context);
    for (uint64_t i = 1; i <= count; ++i) {
      const absl::Status status = co_await writer.Write(Numbered(i));
      if (!status.ok()) break;
    }
    co_return co_await writer.Finish();
  }

  Task<std::pair<Numbers, absl::Status>> CoChat(ClientContext& context, const std::vector<Payload>& payloads) {
    Numbers sizes;
    const auto stream = stub_.Co().ChatPayloads(context);
    for (const Payload& payload : payloads) {
      const absl::Status written = co_await stream.Write(Item(), payload);
      if (!written.ok()) break;
      absl::StatusOr<std::optional<WithPayload<Item>>> item = co_await stream.Read();
      if (!item.ok() || !item->has_value()) break;
      sizes.push_back((*item)->payload.size());
    }
    absl::Status status = co_await stream.WritesDone();
    if (status.ok()) status = co_await stream.Finish();
    co_return std::pair(std::move(sizes), std::move(status));
  }

  Task<absl::Status> CoCancel(ClientContext& context) {
    const auto stream = stub_.Co().Hang(context);
    const absl::Status begun = co_await stream.WaitForInitialMetadata();
    if (!begun.ok()) co_return begun;
    context.TryCancel();
    co_return co_await stream.Finish();
  }

  Semantics::Stub stub_;
};

}  // namespace

std::string NameOfForm(Form form) {
  switch (form) {
    case Form::kBlocking:
      return "Blocking";
    case Form::kCallback:
      return "Callback";
    case Form::kCoroutine:
      return "Coroutine";
  }
  return "";
}

std::unique_ptr<Jobs> MakeJobs(Form form, std::shared_ptr<Channel> channel) {
  switch (form) {
    case Form::kBlocking:
      return std::make_unique<BlockingJobs>(std::move(channel));
    case Form::kCallback:
      return std::make_unique<CallbackJobs>(std::move(channel));
    case Form::kCoroutine:
      return std::make_unique<CoJobs>(std::move(channel));
  }
  return nullptr;
}

}  // namespace pagewire::semantics
