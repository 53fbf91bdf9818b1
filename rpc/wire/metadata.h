// Rules for the key/value pairs that travel with a call. They are gRPC's.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "pagewire/wire.pb.h"

namespace pagewire::wire {

// A broken rule concerns one call only: the session carries on.

// Keys are one or more of [0-9a-z_.-]. Values are printable ASCII (0x20 to 0x7e), or any bytes where the key ends in
// "-bin". INVALID_ARGUMENT, naming the key, otherwise.
absl::Status CheckMetadata(std::string_view key, std::string_view value);

// Also refuses keys that a user may not set: those beginning with "grpc-" or "pagewire-".
absl::Status CheckUserMetadata(std::string_view key, std::string_view value);

using MetadataList = google::protobuf::RepeatedPtrField<v1::Metadata>;

// What the limit on metadata counts: the bytes of all keys and values.
uint64_t MetadataSize(const MetadataList& list);

// Checks what a peer sent: CheckMetadata for each pair; RESOURCE_EXHAUSTED when the list is larger than `max_size`.
absl::Status CheckReceivedMetadata(const MetadataList& list, uint64_t max_size);

}  // namespace pagewire::wire
