// Reads and writes of typed messages on a raw stream that do not block.
#pragma once

#include <pagewire/internal/completion.h>
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

// A pending read does not keep the stream.
template <typename Item>
void ReadAsync(const StreamEnd& end, absl::AnyInvocable<void(absl::StatusOr<std::optional<Item>>)> done) {
  using Raw = absl::StatusOr<std::optional<RawMessage>>;
  auto decode = [stream = std::weak_ptr<RawStream>(end.stream), method = end.method, part = end.part,
                 done = std::move(done)](Raw raw) mutable {
    if (!done) return;
    if (!raw.ok()) return done(std::move(raw).status());
    if (!raw->has_value()) return done(std::optional<Item>());
    absl::StatusOr<Item> item = Decode<Item>(*method, part, **std::move(raw));
    if (item.ok()) return done(std::optional<Item>(*std::move(item)));
    if (const auto open = stream.lock()) open->Reject();
    done(std::move(item).status());
  };
  end.stream->Read(Completion<Raw>(end.stream->complete_on(), std::move(decode)));
}

// Writes when it is called with what shall be told.
inline auto PrepareWrite(const StreamEnd& end, absl::StatusOr<RawMessage> raw) {
  return [stream = end.stream, raw = std::move(raw)](absl::AnyInvocable<void(absl::Status)> done) mutable {
    auto written = Completion<absl::Status>(stream->complete_on(), std::move(done));
    if (!raw.ok()) return written(std::move(raw).status());
    stream->Write(*std::move(raw), /*last=*/false, std::move(written));
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
  stream.Read(Completion<Raw>(stream.complete_on(), [&method, done = std::move(done)](Raw raw) mutable {
    if (done) done(DecodeBeforePieces<Message>(method, std::move(raw)));
  }));
}

}  // namespace pagewire::internal
