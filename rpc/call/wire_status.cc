#include "call/wire_status.h"

#include <absl/strings/cord.h>

#include <string>

namespace pagewire::call {

void WriteStatus(const absl::Status& status, wire::v1::CallStatus& out) {
  out.set_code(static_cast<uint32_t>(status.code()));
  if (status.ok()) return;  // it has neither text nor details
  const absl::string_view message = status.message();
  out.set_message(message.data(), message.size());
  status.ForEachPayload([&out](absl::string_view type_url, const absl::Cord& value) {
    wire::v1::StatusDetail& detail = *out.add_details();
    detail.set_type_url(type_url.data(), type_url.size());
    detail.set_value(std::string(value));
  });
}

absl::Status ReadStatus(const wire::v1::CallStatus& in) {
  if (in.code() == 0) return absl::OkStatus();
  constexpr uint32_t kLastCode = static_cast<uint32_t>(absl::StatusCode::kUnauthenticated);
  const auto code = in.code() <= kLastCode ? static_cast<absl::StatusCode>(in.code()) : absl::StatusCode::kUnknown;
  absl::Status status(code, in.message());
  for (const wire::v1::StatusDetail& detail : in.details()) {
    status.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return status;
}

void WriteMetadata(const Metadata& metadata, google::protobuf::RepeatedPtrField<wire::v1::Metadata>& out) {
  for (const auto& [key, value] : metadata) {
    wire::v1::Metadata& entry = *out.Add();
    entry.set_key(key);
    entry.set_value(value);
  }
}

Metadata ReadMetadata(const google::protobuf::RepeatedPtrField<wire::v1::Metadata>& in) {
  Metadata metadata;
  for (const wire::v1::Metadata& entry : in) metadata.emplace(entry.key(), entry.value());
  return metadata;
}

}  // namespace pagewire::call
