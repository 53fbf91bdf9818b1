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

absl::Status CheckMetadata(std::string_view key, std::string_view value) {
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

absl::Status CheckUserMetadata(std::string_view key, std::string_view value) {
  for (std::string_view reserved : {"grpc-", "pagewire-"}) {
    if (BeginsWith(key, reserved)) {
      return absl::InvalidArgumentError(absl::StrCat("metadata: key ", Shown(key), " begins with \"",
                                                     base::ToAbsl(reserved), "\", which is reserved"));
    }
  }
  return CheckMetadata(key, value);
}

uint64_t MetadataSize(const MetadataList& list) {
  uint64_t size = 0;
  for (const v1::Metadata& pair : list) size += pair.key().size() + pair.value().size();
  return size;
}

absl::Status CheckReceivedMetadata(const MetadataList& list, uint64_t max_size) {
  const uint64_t size = MetadataSize(list);
  if (size > max_size) {
    return absl::ResourceExhaustedError(
        absl::StrCat("metadata: ", size, " bytes of keys and values exceed max_metadata_size, which is ", max_size));
  }
  for (const v1::Metadata& pair : list) {
    if (absl::Status status = CheckMetadata(pair.key(), pair.value()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace pagewire::wire
