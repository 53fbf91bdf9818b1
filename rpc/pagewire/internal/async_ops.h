// Reads and writes of typed messages on a raw stream that do not block, and answer on the executor.
#pragma once

#include <pagewire/executor.h>
#include <pagewire/internal/item_codec.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/method.h>

#include <absl/functional/any_invocable.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <utility>

namespace pagewire::internal {

// One direction of a stream, at one end of it.
struct StreamEnd {
  std::shared_ptr<RawStream> stream;
  const Method* method;  // in static storage
  Part part;
};

// What runs `done` on the executor when it is called on a loop; nothing for null.
template <typename Value>
absl::AnyInvocable<void(Value)> OnExecutor(absl::AnyInvocable<void(Value)> done) {
  return [done = std::move(done)](Value value) mutable {
    if (!done) return;
    DefaultExecutor().Run([done = std::move(done), value = std::move(value)]() mutable { done(std::move(value)); });
  };
}

// A pending read does not keep the stream.
template <typename Item>
void ReadAsync(const StreamEnd& end, absl::AnyInvocable<void(absl::StatusOr<std::optional<Item>>)> done) {
  using Raw = absl::StatusOr<std::optional<RawMessage>>;
  end.stream->Read(OnExecutor<Raw>([stream = std::weak_ptr<RawStream>(end.stream), method = end.method, part = end.part,
                                    done = std::move(done)](Raw raw) mutable {
    if (!done) return;
    if (!raw.ok()) return done(std::move(raw).status());
    if (!raw->has_value()) return done(std::optional<Item>());
    absl::StatusOr<Item> item = Decode<Item>(*method, part, **std::move(raw));
    if (item.ok()) return done(std::optional<Item>(*std::move(item)));
    if (const auto open = stream.lock()) open->Reject();
    done(std::move(item).status());
  }));
}

// Writes when it is called with what shall be told.
inline auto PrepareWrite(const StreamEnd& end, absl::StatusOr<RawMessage> raw) {
  return [stream = end.stream, raw = std::move(raw)](absl::AnyInvocable<void(absl::Status)> done) mutable {
    if (!raw.ok()) return OnExecutor<absl::Status>(std::move(done))(std::move(raw).status());
    stream->Write(*std::move(raw), /*last=*/false, OnExecutor<absl::Status>(std::move(done)));
  };
}

// Serializes now.
template <typename Message>
auto PrepareWrite(const StreamEnd& end, const Message& message, Payload payload) {
  return PrepareWrite(end, Encode(*end.method, end.part, message, std::move(payload)));
}

// The message before the pieces.
template <typename Message>
void ReadMessageAsync(RawStream& stream, const Method& method, absl::AnyInvocable<void(absl::StatusOr<Message>)> done) {
  using Raw = absl::StatusOr<std::optional<RawMessage>>;
  stream.Read(OnExecutor<Raw>([&method, done = std::move(done)](Raw raw) mutable {
    if (done) done(DecodeBeforePieces<Message>(method, std::move(raw)));
  }));
}

}  // namespace pagewire::internal
