// What a generated signature returns, to a RawReply and back. Reply is the response message, or WithPayload of it.
#pragma once

#include <pagewire/internal/message_codec.h>
#include <pagewire/internal/raw_reply.h>
#include <pagewire/method.h>
#include <pagewire/with_payload.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/utility/utility.h>

#include <string>
#include <type_traits>
#include <utility>

namespace pagewire::internal {

template <typename Reply>
inline constexpr bool kHasPayload = false;
template <typename Message>
inline constexpr bool kHasPayload<WithPayload<Message>> = true;

// Reply may be const.
template <typename Reply>
auto& MessageOf(Reply& reply) {
  if constexpr (kHasPayload<std::remove_const_t<Reply>>) {
    return reply.message;
  } else {
    return reply;
  }
}

// The server's side. INTERNAL for a reply that cannot be serialized: the handler's fault, whatever it is.
template <typename Reply>
absl::StatusOr<RawReply> EncodeReply(const Method& method, absl::StatusOr<Reply> reply) {
  if (!reply.ok()) return std::move(reply).status();
  absl::StatusOr<std::string> bytes = Serialize(method, Part::kResponse, MessageOf(*reply));
  if (!bytes.ok()) return absl::InternalError(bytes.status().message());
  RawReply raw;
  raw.message = *std::move(bytes);
  if constexpr (kHasPayload<Reply>) raw.payload = std::move(reply->payload);
  return raw;
}

// The client's side. INTERNAL for a response that does not parse.
template <typename Reply>
absl::StatusOr<Reply> DecodeReply(const Method& method, absl::StatusOr<RawReply> raw) {
  if (!raw.ok()) return std::move(raw).status();
  absl::StatusOr<Reply> reply(absl::in_place);
  if (absl::Status status = Parse(method, Part::kResponse, raw->message, MessageOf(*reply)); !status.ok()) {
    return status;
  }
  if constexpr (kHasPayload<Reply>) reply->payload = std::move(raw->payload);
  return reply;
}

}  // namespace pagewire::internal
