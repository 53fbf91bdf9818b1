// Small helpers over absl::Status.
#pragma once

#include <absl/status/status.h>
#include <absl/strings/cord.h>
#include <absl/strings/str_cat.h>

#include <string_view>

#include "base/string_view.h"

namespace pagewire::base {

// A copy that shares no reference count with `status`, for handing one status to several threads. abseil counts
// references inside its own library, which Debian does not build with ThreadSanitizer: shared copies look like races.
inline absl::Status CloneStatus(const absl::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status clone(status.code(), absl::string_view(status.message()));
  status.ForEachPayload(
      [&](absl::string_view url, const absl::Cord& value) { clone.SetPayload(url, absl::Cord(std::string(value))); });
  return clone;
}

// The same code, with "`context`: " before the message; OK stays OK.
inline absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), absl::StrCat(ToAbsl(context), ": ", status.message()));
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& value) { annotated.SetPayload(url, value); });
  return annotated;
}

}  // namespace pagewire::base
