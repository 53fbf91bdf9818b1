// What a generated signature passes, to a RawMessage and back. Item is a message, or WithPayload of it.
#pragma once

#include <pagewire/internal/message_codec.h>
#include <pagewire/internal/raw_message.h>
#include <pagewire/method.h>
#include <pagewire/with_payload.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/utility/utility.h>

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

// INTERNAL for what does not parse.
template <typename Item>
absl::StatusOr<Item> Decode(const Method& method, Part part, RawMessage raw) {
  absl::StatusOr<Item> item(absl::in_place);
  if (absl::Status status = Parse(method, part, raw.bytes, MessageOf(*item)); !status.ok()) return status;
  if constexpr (kHasPayload<Item>) item->payload = std::move(raw.payload);
  return item;
}

// The server's side of a response. INTERNAL for a reply that cannot be serialized: the handler's fault, whatever it is.
template <typename Reply>
absl::StatusOr<RawMessage> EncodeReply(const Method& method, absl::StatusOr<Reply> reply) {
  if (!reply.ok()) return std::move(reply).status();
  Payload payload;
  if constexpr (kHasPayload<Reply>) payload = std::move(reply->payload);
  absl::StatusOr<RawMessage> raw = Encode(method, Part::kResponse, MessageOf(*reply), std::move(payload));
  if (!raw.ok()) return absl::InternalError(raw.status().message());
  return raw;
}

// The client's side of one.
template <typename Reply>
absl::StatusOr<Reply> DecodeReply(const Method& method, absl::StatusOr<RawMessage> raw) {
  if (!raw.ok()) return std::move(raw).status();
  return Decode<Reply>(method, Part::kResponse, *std::move(raw));
}

}  // namespace pagewire::internal
