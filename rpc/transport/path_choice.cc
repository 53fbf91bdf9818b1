#include "transport/path_choice.h"

#include <absl/strings/str_cat.h>

#include <cstdlib>

#include "base/string_view.h"
#include "transport/page.h"

namespace pagewire::transport {
namespace {

// Below it, what a path without a copy saves is less than what it costs to set up. 64 KiB: where mapping begins to be
// cheaper than copying into pooled memory (docs/architecture.md, "Costs").
constexpr uint64_t kAutoFromBytes = 64 << 10;

}  // namespace

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
  if (send != SendPath::kAuto && send != SendPath::kCopy && send != SendPath::kZerocopy) {
    return absl::UnimplementedError(absl::StrCat("send path ", base::ToAbsl(SendPathName(send)),
                                                 " is not part of this version; use auto, copy or zerocopy"));
  }
  return Paths{send, receive};
}

SendChoice ChooseSendPath(const SendTerms& terms, uint64_t payload_bytes) {
  if (terms.requested == SendPath::kCopy) return {SendPath::kCopy, CopyReason::kForced};
  if (!terms.zerocopy_possible) return {SendPath::kCopy, CopyReason::kKernelUnsupported};
  if (terms.quarantine_full) return {SendPath::kCopy, CopyReason::kPolicy};
  if (terms.requested == SendPath::kZerocopy) return {SendPath::kZerocopy};
  if (terms.same_host) return {SendPath::kCopy, CopyReason::kSameHostCopy};
  if (payload_bytes < kAutoFromBytes) return {SendPath::kCopy, CopyReason::kBelowThreshold};
  return {SendPath::kZerocopy};
}

ReceiveChoice ChooseReceivePath(const ReceiveTerms& terms) {
  const bool automatic = terms.requested == ReceivePath::kAuto;
  if (terms.requested == ReceivePath::kCopy) return {false, CopyReason::kForced};
  if (automatic && terms.same_host) return {false, CopyReason::kSameHostCopy};
  if (!terms.map_possible) return {false, CopyReason::kKernelUnsupported};
  if (!terms.whole_page_segments) return {false, CopyReason::kMss};
  if (!terms.arena) return {false, CopyReason::kNoArena};
  return {true, CopyReason::kPolicy, automatic ? kAutoFromBytes : kPageBytes};
}

}  // namespace pagewire::transport
