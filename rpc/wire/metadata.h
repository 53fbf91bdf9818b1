// Rules for the key/value pairs that travel with a call. They are gRPC's.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>
#include <pagewire/metadata.h>

#include <absl/status/status.h>

#include <cstdint>
#include <string_view>

#include "pagewire/wire.pb.h"

namespace pagewire::wire {

// A broken rule concerns one call only: the session carries on.

// Keys are one or more of [0-9a-z_.-]. Values are printable ASCII (0x20 to 0x7e), or any bytes where the key ends in
// "-bin". INVALID_ARGUMENT, naming the key, otherwise.
absl::Status ValidateMetadata(std::string_view key, std::string_view value);

// Also refuses keys that a user may not set: those beginning with "grpc-" or "pagewire-".
absl::Status ValidateUserMetadata(std::string_view key, std::string_view value);

using MetadataList = google::protobuf::RepeatedPtrField<v1::Metadata>;

// What the limit on metadata counts: the bytes of all keys and values.
uint64_t MetadataBytes(const Metadata& metadata);
uint64_t MetadataBytes(const MetadataList& list);

// For what a peer sent: ValidateMetadata for each pair; RESOURCE_EXHAUSTED when the list has more than `max_bytes`.
absl::Status ValidateReceivedMetadata(const MetadataList& list, uint64_t max_bytes);

}  // namespace pagewire::wire
