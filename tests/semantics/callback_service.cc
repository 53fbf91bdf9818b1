#include "semantics/callback_service.h"

#include <absl/strings/str_cat.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "semantics/semantics_service.h"

namespace pagewire::semantics {
namespace {

using StatusDone = CallbackSemantics::StatusDone;

// One write after the other.
class Producing : public std::enable_shared_from_this<Producing> {
 public:
  Producing(const Order& order, AsyncServerWriter<Item> writer, StatusDone done)
      : order_(order), writer_(std::move(writer)), done_(std::move(done)) {}

  void WriteNext() {
    if (next_ == order_.count()) return done_(StatusOf(order_));
    writer_.Write(ItemOf(order_, next_++), [self = shared_from_this()](absl::Status status) {
      if (!status.ok()) return self->done_(std::move(status));
      self->WriteNext();
    });
  }

 private:
  const Order& order_;  // lives until done
  const AsyncServerWriter<Item> writer_;
  StatusDone done_;
  uint64_t next_ = 0;
};

class Collecting : public std::enable_shared_from_this<Collecting> {
 public:
  Collecting(AsyncServerReader<Item> reader, absl::AnyInvocable<void(absl::StatusOr<Summary>)> done)
      : reader_(std::move(reader)), done_(std::move(done)) {}

  void ReadNext() {
    reader_.Read([self = shared_from_this()](absl::StatusOr<std::optional<Item>> item) {
      if (!item.ok()) return self->done_(item.status());
      if (!item->has_value()) return self->done_(self->summary_);
      Add(**item, self->summary_);
      self->ReadNext();
    });
  }

 private:
  const AsyncServerReader<Item> reader_;
  absl::AnyInvocable<void(absl::StatusOr<Summary>)> done_;
  Summary summary_;
};

template <typename Received>
class Chatting : public std::enable_shared_from_this<Chatting<Received>> {
 public:
  Chatting(ServerContext& context, AsyncServerReaderWriter<Received, Received> stream, StatusDone done)
      : context_(context), stream_(std::move(stream)), done_(std::move(done)) {}

  void ReadNext() {
    stream_.Read([self = this->shared_from_this()](absl::StatusOr<std::optional<Received>> item) {
      if (!item.ok()) return self->done_(item.status());
      if (item->has_value()) return self->Answer(**std::move(item));
      self->context_.AddTrailingMetadata("mood-bin", std::string("\0\xff", 2));
      self->done_(absl::OkStatus());
    });
  }

 private:
  void Answer(Received item) {
    auto written = [self = this->shared_from_this()](absl::Status status) {
      if (!status.ok()) return self->done_(std::move(status));
      self->ReadNext();
    };
    if constexpr (std::is_same_v<Received, Item>) {
      stream_.Write(item, std::move(written));
    } else {
      stream_.Write(item.message, std::move(item.payload), std::move(written));
    }
  }

  ServerContext& context_;
  const AsyncServerReaderWriter<Received, Received> stream_;
  StatusDone done_;
};

}  // namespace

void CallbackSemantics::Echo(ServerContext&, const Item& item, Payload payload,
                             absl::AnyInvocable<void(absl::StatusOr<WithPayload<Item>>)> done) {
  if (item.text() == "throw") throw std::runtime_error("out of ideas");
  if (item.text() == "drop") return;
  // On another thread, with the request by reference: it lives until done.
  DefaultExecutor().Run([&item, payload = std::move(payload), done = std::move(done)]() mutable {
    const bool twice = item.text() == "twice";
    done(WithPayload<Item>{item, std::move(payload)});
    if (twice) done(absl::DataLossError("a second answer"));
  });
}

void CallbackSemantics::Produce(ServerContext& context, const Order& order, AsyncServerWriter<Item> writer,
                                StatusDone done) {
  context.AddInitialMetadata("kind", "numbers");
  context.AddTrailingMetadata("count", absl::StrCat(order.count()));
  std::make_shared<Producing>(order, std::move(writer), std::move(done))->WriteNext();
}

void CallbackSemantics::Collect(ServerContext&, AsyncServerReader<Item> reader,
                                absl::AnyInvocable<void(absl::StatusOr<Summary>)> done) {
  std::make_shared<Collecting>(std::move(reader), std::move(done))->ReadNext();
}

void CallbackSemantics::Chat(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream, StatusDone done) {
  std::make_shared<Chatting<Item>>(context, std::move(stream), std::move(done))->ReadNext();
}

void CallbackSemantics::ChatPayloads(ServerContext& context,
                                     AsyncServerReaderWriter<WithPayload<Item>, WithPayload<Item>> stream,
                                     StatusDone done) {
  std::make_shared<Chatting<WithPayload<Item>>>(context, std::move(stream), std::move(done))->ReadNext();
}

void CallbackSemantics::Hang(ServerContext& context, AsyncServerReaderWriter<Item, Item> stream, StatusDone done) {
  context.AddInitialMetadata("state", "hanging");
  stream.SendInitialMetadata();
  context.OnCancelled([done = std::move(done)]() mutable { done(absl::CancelledError("as was wished")); });
}

void CallbackSemantics::Throw(ServerContext&, AsyncServerReaderWriter<Item, Item>, StatusDone) {
  throw std::runtime_error("out of ideas");
}

}  // namespace pagewire::semantics
