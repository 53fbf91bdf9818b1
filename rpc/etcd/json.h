// The messages of etcd.proto as JSON.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <google/protobuf/message.h>

#include <string>
#include <string_view>

namespace pagewire::etcd {

std::string ToJson(const google::protobuf::Message& message);

// Skips fields that `message` does not have. INVALID_ARGUMENT with what is wrong with the text.
absl::Status ParseJson(std::string_view json, google::protobuf::Message* message);

template <typename Message>
absl::StatusOr<Message> FromJson(std::string_view json) {
  Message message;
  absl::Status parsed = ParseJson(json, &message);
  if (!parsed.ok()) return parsed;
  return message;
}

}  // namespace pagewire::etcd
