// What a generated signature passes, to a RawMessage and back. Item is a message, WithPayload of it, Payload for a
// piece, or GenericMessage.
#pragma once

#include <pagewire/generic_message.h>
#include <pagewire/internal/message_codec.h>
#include <pagewire/internal/raw_message.h>
#include <pagewire/method.h>
#include <pagewire/payload.h>
#include <pagewire/with_payload.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <absl/utility/utility.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace pagewire::internal {

template <typename Item>
inline constexpr bool kHasPayload = false;
template <typename Message>
inline constexpr bool kHasPayload<WithPayload<Message>> = true;

// Item may be const.
template <typename Item>
auto& MessageOf(Item& item) {
  if constexpr (kHasPayload<std::remove_const_t<Item>>) {
    return item.message;
  } else {
    return item;
  }
}

// The errors of Serialize.
template <typename Message>
absl::StatusOr<RawMessage> Encode(const Method& method, Part part, const Message& message, Payload payload) {
  absl::StatusOr<std::string> bytes = Serialize(method, part, message);
  if (!bytes.ok()) return std::move(bytes).status();
  return RawMessage{*std::move(bytes), std::move(payload)};
}

template <typename Item>
absl::StatusOr<Item> DecodeMessage(const Method& method, Part part, RawMessage raw) {
  absl::StatusOr<Item> item(absl::in_place);
  if (absl::Status status = Parse(method, part, raw.bytes, MessageOf(*item)); !status.ok()) return status;
  if constexpr (kHasPayload<Item>) item->payload = std::move(raw.payload);
  return item;
}

// Into a message that may be used again, and its payload, if it has one, into `*payload`.
inline absl::Status DecodeInto(const Method& method, Part part, absl::StatusOr<RawMessage> raw,
                               google::protobuf::MessageLite& message, Payload* payload) {
  if (!raw.ok()) return std::move(raw).status();
  if (absl::Status status = Parse(method, part, raw->bytes, message); !status.ok()) return status;
  if (payload != nullptr) *payload = std::move(raw->payload);
  return absl::OkStatus();
}

inline absl::StatusOr<RawMessage> Encode(const Method&, Part, const GenericMessage& message, Payload) {
  return RawMessage{message.bytes, message.payload};
}

// INTERNAL for what does not parse, and for what is no piece.
template <typename Item>
absl::StatusOr<Item> Decode(const Method& method, Part part, RawMessage raw) {
  if constexpr (std::is_same_v<Item, Payload>) {
    if (raw.bytes.empty()) return std::move(raw.payload);
    return absl::InternalError(absl::StrCat(NameOf(method), ": a message of ", raw.bytes.size(),
                                            " bytes came where a piece was read; ReadMessage comes first"));
  } else if constexpr (std::is_same_v<Item, GenericMessage>) {
    return GenericMessage{std::move(raw.bytes), std::move(raw.payload)};
  } else {
    return DecodeMessage<Item>(method, part, std::move(raw));
  }
}

// The same into an item that may be used again.
template <typename Item>
absl::Status DecodeItem(const Method& method, Part part, RawMessage raw, Item& item) {
  if constexpr (std::is_base_of_v<google::protobuf::MessageLite, Item>) {
    return DecodeInto(method, part, std::move(raw), item, nullptr);
  } else if constexpr (kHasPayload<Item>) {
    return DecodeInto(method, part, std::move(raw), item.message, &item.payload);
  } else {
    absl::StatusOr<Item> decoded = Decode<Item>(method, part, std::move(raw));
    if (!decoded.ok()) return std::move(decoded).status();
    item = *std::move(decoded);
    return absl::OkStatus();
  }
}

// The server's side of a response. INTERNAL for a reply that cannot be serialized: the handler's fault, whatever it is.
template <typename Message>
absl::StatusOr<RawMessage> EncodeReply(const Method& method, const Message& reply, Payload payload) {
  absl::StatusOr<RawMessage> raw = Encode(method, Part::kResponse, reply, std::move(payload));
  if (!raw.ok()) return absl::InternalError(raw.status().message());
  return raw;
}

template <typename Reply>
absl::StatusOr<RawMessage> EncodeReply(const Method& method, absl::StatusOr<Reply> reply) {
  if (!reply.ok()) return std::move(reply).status();
  Payload payload;
  if constexpr (kHasPayload<Reply>) payload = std::move(reply->payload);
  return EncodeReply(method, MessageOf(*reply), std::move(payload));
}

// The one message of a direction that pieces follow; `raw` is what was read first. INTERNAL when it is no message.
template <typename Message>
absl::StatusOr<Message> DecodeBeforePieces(const Method& method, absl::StatusOr<std::optional<RawMessage>> raw) {
  if (!raw.ok()) return std::move(raw).status();
  if (!raw->has_value()) {
    return absl::InternalError(
        absl::StrCat(NameOf(method), ": the server ended the call with OK before its response message"));
  }
  if ((*raw)->payload.size() > 0) {
    return absl::InternalError(absl::StrCat(NameOf(method), ": a piece came where the message was read, which is ",
                                            "read once, before the pieces"));
  }
  return DecodeMessage<Message>(method, Part::kResponse, **std::move(raw));
}

// The client's side of one.
template <typename Reply>
absl::StatusOr<Reply> DecodeReply(const Method& method, absl::StatusOr<RawMessage> raw) {
  if (!raw.ok()) return std::move(raw).status();
  return Decode<Reply>(method, Part::kResponse, *std::move(raw));
}

}  // namespace pagewire::internal
