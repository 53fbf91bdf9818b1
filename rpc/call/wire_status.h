// absl::Status and metadata, to and from the bodies of frames.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>
#include <pagewire/metadata.h>

#include <absl/status/status.h>

#include "pagewire/wire.pb.h"

namespace pagewire::call {

// Code, message and payloads (as details).
void WriteStatus(const absl::Status& status, wire::v1::CallStatus& out);

// A code that is no canonical code becomes UNKNOWN, as in gRPC.
absl::Status ReadStatus(const wire::v1::CallStatus& in);

void WriteMetadata(const Metadata& metadata, google::protobuf::RepeatedPtrField<wire::v1::Metadata>& out);
Metadata ReadMetadata(const google::protobuf::RepeatedPtrField<wire::v1::Metadata>& in);

}  // namespace pagewire::call
