#include "wire/metadata.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>

#include "base/string_view.h"

namespace pagewire::wire {
namespace {

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

bool IsPrintable(char c) { return c >= 0x20 && c <= 0x7e; }

bool BeginsWith(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// For error messages: escaped, and not longer than a line.
std::string Shown(std::string_view key) {
  constexpr size_t kMost = 64;
  return absl::StrCat("\"", absl::CHexEscape(base::ToAbsl(key.substr(0, kMost))), key.size() > kMost ? "...\"" : "\"");
}

}  // namespace

absl::Status ValidateMetadata(std::string_view key, std::string_view value) {
  if (key.empty()) return absl::InvalidArgumentError("metadata: a key is empty");
  if (!std::all_of(key.begin(), key.end(), IsKeyCharacter)) {
    return absl::InvalidArgumentError(
        absl::StrCat("metadata: key ", Shown(key), " has characters other than 0-9 a-z _ . -"));
  }
  if (!EndsWith(key, "-bin") && !std::all_of(value.begin(), value.end(), IsPrintable)) {
    return absl::InvalidArgumentError(absl::StrCat("metadata: the value of key ", Shown(key),
                                                   " is not printable ASCII; keys of binary values end in \"-bin\""));
  }
  return absl::OkStatus();
}

absl::Status ValidateUserMetadata(std::string_view key, std::string_view value) {
  for (std::string_view reserved : {"grpc-", "pagewire-"}) {
    if (BeginsWith(key, reserved)) {
      return absl::InvalidArgumentError(absl::StrCat("metadata: key ", Shown(key), " begins with \"",
                                                     base::ToAbsl(reserved), "\", which is reserved"));
    }
  }
  return ValidateMetadata(key, value);
}

uint64_t MetadataBytes(const Metadata& metadata) {
  uint64_t bytes = 0;
  for (const auto& [key, value] : metadata) bytes += key.size() + value.size();
  return bytes;
}

uint64_t MetadataBytes(const MetadataList& list) {
  uint64_t bytes = 0;
  for (const v1::Metadata& pair : list) bytes += pair.key().size() + pair.value().size();
  return bytes;
}

absl::Status ValidateReceivedMetadata(const MetadataList& list, uint64_t max_bytes) {
  const uint64_t bytes = MetadataBytes(list);
  if (bytes > max_bytes) {
    return absl::ResourceExhaustedError(
        absl::StrCat("metadata: ", bytes, " bytes of keys and values exceed max_metadata_size, which is ", max_bytes));
  }
  for (const v1::Metadata& pair : list) {
    if (absl::Status status = ValidateMetadata(pair.key(), pair.value()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace pagewire::wire
