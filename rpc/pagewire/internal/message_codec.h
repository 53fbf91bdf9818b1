// Protobuf messages to bytes and back, with errors that say which message of which method was wrong.
#pragma once

#include <pagewire/method.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace pagewire::internal {

// protobuf measures messages in int.
inline constexpr uint64_t kMaxProtobufBytes = std::numeric_limits<int>::max();

// Which message of a method is meant, in error messages.
enum class Part { kRequest, kResponse };

// For absl::StrCat: Debian's absl::string_view is not std's.
inline absl::string_view NameOf(const Method& method) { return {method.name.data(), method.name.size()}; }

inline std::string Describe(const Method& method, Part part) {
  return absl::StrCat(NameOf(method), part == Part::kRequest ? ": request" : ": response");
}

// INVALID_ARGUMENT when required fields (proto2) are not set, RESOURCE_EXHAUSTED above kMaxProtobufBytes.
inline absl::StatusOr<std::string> Serialize(const Method& method, Part part,
                                             const google::protobuf::MessageLite& message) {
  if (!message.IsInitialized()) {
    return absl::InvalidArgumentError(absl::StrCat(Describe(method, part), " ", message.GetTypeName(),
                                                   " lacks required fields: ", message.InitializationErrorString()));
  }
  const uint64_t size = message.ByteSizeLong();
  if (size > kMaxProtobufBytes) {
    return absl::ResourceExhaustedError(absl::StrCat(
        Describe(method, part), " ", message.GetTypeName(), " is ", size, " bytes and protobuf's limit is ",
        kMaxProtobufBytes, "; bulk bytes belong into a Payload, see option (pagewire.payload)"));
  }
  std::string bytes(size, '\0');
  message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(bytes.data()));
  return bytes;
}

// Replaces the content of `message`. INTERNAL when `bytes` are not such a message; `message` is unspecified then.
inline absl::Status Parse(const Method& method, Part part, std::string_view bytes,
                          google::protobuf::MessageLite& message) {
  const bool parsed =
      bytes.size() <= kMaxProtobufBytes && message.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()));
  if (parsed && message.IsInitialized()) return absl::OkStatus();
  std::string error =
      absl::StrCat(Describe(method, part), " is not a valid ", message.GetTypeName(), " (", bytes.size(), " bytes)");
  if (parsed) absl::StrAppend(&error, ": required fields are missing: ", message.InitializationErrorString());
  return absl::InternalError(error);
}

}  // namespace pagewire::internal
