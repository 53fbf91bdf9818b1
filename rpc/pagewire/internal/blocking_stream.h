// Blocking reads and writes of typed messages on a raw stream.
#pragma once

#include <pagewire/internal/blocking.h>
#include <pagewire/internal/item_codec.h>
#include <pagewire/internal/raw_stream.h>
#include <pagewire/message_stream.h>
#include <pagewire/method.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

#include <optional>
#include <string>
#include <utility>

namespace pagewire::internal {

// FAILED_PRECONDITION where waiting would be for ever.
inline absl::Status CheckMayBlock(const Method& method) {
  if (!OnLoopThread()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(NameOf(method),
                                                    ": a blocking operation on one of the library's loop threads "
                                                    "would wait for itself; use the callback form there"));
}

inline absl::StatusOr<std::optional<RawMessage>> ReadRawBlocking(RawStream& stream, const Method& method) {
  if (absl::Status status = CheckMayBlock(method); !status.ok()) return status;
  using Result = absl::StatusOr<std::optional<RawMessage>>;
  return BlockOn<Result>([&](RawStream::ReadDone done) { stream.Read(std::move(done)); });
}

template <typename Item>
absl::StatusOr<std::optional<Item>> ReadBlocking(RawStream& stream, const Method& method, Part part) {
  absl::StatusOr<std::optional<RawMessage>> raw = ReadRawBlocking(stream, method);
  if (!raw.ok()) return std::move(raw).status();
  if (!raw->has_value()) return std::optional<Item>();
  absl::StatusOr<Item> item = Decode<Item>(method, part, **std::move(raw));
  if (!item.ok()) return std::move(item).status();
  return std::optional<Item>(*std::move(item));
}

// False after the last message.
template <typename Item>
absl::StatusOr<bool> ReadBlockingInto(RawStream& stream, const Method& method, Part part, Item& item) {
  absl::StatusOr<std::optional<RawMessage>> raw = ReadRawBlocking(stream, method);
  if (!raw.ok()) return std::move(raw).status();
  if (!raw->has_value()) return false;
  if (absl::Status status = DecodeItem(method, part, **std::move(raw), item); !status.ok()) return status;
  return true;
}

inline absl::Status WriteBlocking(RawStream& stream, const Method& method, RawMessage raw) {
  if (absl::Status status = CheckMayBlock(method); !status.ok()) return status;
  return BlockOn<absl::Status>(
      [&](RawStream::WriteDone done) { stream.Write(std::move(raw), /*last=*/false, std::move(done)); });
}

template <typename Message>
absl::Status WriteBlocking(RawStream& stream, const Method& method, Part part, const Message& message,
                           Payload payload) {
  absl::StatusOr<RawMessage> raw = Encode(method, part, message, std::move(payload));
  if (!raw.ok()) return std::move(raw).status();
  return WriteBlocking(stream, method, *std::move(raw));
}

// The Write of an interface, which differs where there are payloads.
template <typename Interface, typename Item>
class BlockingWriter : public Interface {
 public:
  absl::Status Write(const Item& message) final { return WriteBlocking(stream_, method_, part_, message, Payload()); }

 protected:
  // Both outlive it.
  BlockingWriter(RawStream& stream, const Method& method, Part part) : stream_(stream), method_(method), part_(part) {}

 private:
  RawStream& stream_;
  const Method& method_;
  const Part part_;
};

template <typename Interface, typename Message>
class BlockingWriter<Interface, WithPayload<Message>> : public Interface {
 public:
  using MessageWriter<WithPayload<Message>>::Write;
  absl::Status Write(const Message& message, Payload payload) final {
    return WriteBlocking(stream_, method_, part_, message, std::move(payload));
  }

 protected:
  BlockingWriter(RawStream& stream, const Method& method, Part part) : stream_(stream), method_(method), part_(part) {}

 private:
  RawStream& stream_;
  const Method& method_;
  const Part part_;
};

template <typename Interface>
class BlockingWriter<Interface, Payload> : public Interface {
 public:
  absl::Status Write(Payload piece) final {
    return WriteBlocking(stream_, method_, RawMessage{std::string(), std::move(piece)});
  }
  uint64_t peer_received_bytes() const final { return stream_.PeerReceivedBytes(); }

 protected:
  BlockingWriter(RawStream& stream, const Method& method, Part) : stream_(stream), method_(method) {}

 private:
  RawStream& stream_;
  const Method& method_;
};

}  // namespace pagewire::internal
