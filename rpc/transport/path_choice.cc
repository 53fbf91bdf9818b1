#include "transport/path_choice.h"

#include <absl/strings/str_cat.h>

#include <cstdlib>

#include "base/string_view.h"

namespace pagewire::transport {

absl::StatusOr<Paths> RequestedPaths(SendPath send, ReceivePath receive) {
  if (const char* name = std::getenv("PAGEWIRE_SEND_PATH"); name != nullptr && send == SendPath::kAuto) {
    const std::optional<SendPath> parsed = ParseSendPath(name);
    if (!parsed.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("PAGEWIRE_SEND_PATH is \"", name, "\"; use auto, copy, zerocopy, fixed, splice or file"));
    }
    send = *parsed;
  }
  if (const char* name = std::getenv("PAGEWIRE_RECEIVE_PATH"); name != nullptr && receive == ReceivePath::kAuto) {
    const std::optional<ReceivePath> parsed = ParseReceivePath(name);
    if (!parsed.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat("PAGEWIRE_RECEIVE_PATH is \"", name, "\"; use auto, copy or map"));
    }
    receive = *parsed;
  }
  if (send != SendPath::kAuto && send != SendPath::kCopy) {
    return absl::UnimplementedError(
        absl::StrCat("send path ", base::ToAbsl(SendPathName(send)), " is not part of this version; use auto or copy"));
  }
  if (receive != ReceivePath::kAuto && receive != ReceivePath::kCopy) {
    return absl::UnimplementedError(absl::StrCat("receive path ", base::ToAbsl(ReceivePathName(receive)),
                                                 " is not part of this version; use auto or copy"));
  }
  return Paths{send, receive};
}

CopyReason WholePageCopyReason(ReceivePath requested, bool same_host) {
  if (requested == ReceivePath::kCopy) return CopyReason::kForced;
  return same_host ? CopyReason::kSameHostCopy : CopyReason::kPolicy;
}

}  // namespace pagewire::transport
