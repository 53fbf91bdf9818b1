#include "transport/path_choice.h"

#include <absl/strings/str_cat.h>

#include <cstdlib>

#include "base/string_view.h"
#include "payload/lending.h"
#include "transport/page.h"

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
  if (send == SendPath::kFixed) {
    return absl::UnimplementedError(
        absl::StrCat("send path ", base::ToAbsl(SendPathName(send)),
                     " is not part of this version, because it measured as no better than zerocopy; use auto, copy, "
                     "zerocopy, splice or file"));
  }
  return Paths{send, receive};
}

Backing BackingOf(const Payload& payload) {
  if (memory::Lendable(payload)) return Backing::kLendable;
  if (memory::InFiles(payload)) return Backing::kFile;
  return memory::TouchesFiles(payload) ? Backing::kMixed : Backing::kOther;
}

SendChoice ChooseSendPath(const SendTerms& terms, uint64_t payload_bytes, Backing backing) {
  if (terms.without == CopyReason::kTls) return {SendPath::kCopy, CopyReason::kTls};
  if (terms.requested == SendPath::kCopy) return {SendPath::kCopy, CopyReason::kForced};
  if (terms.requested == SendPath::kFile && backing == Backing::kFile && !terms.digests) {
    return terms.splice_possible ? SendChoice{SendPath::kFile} : SendChoice{SendPath::kCopy, terms.without};
  }
  // Bytes of files are read when their turn comes.
  if (terms.requested == SendPath::kFile || backing == Backing::kFile || backing == Backing::kMixed) {
    return {SendPath::kCopy, CopyReason::kPolicy};
  }
  if (terms.requested == SendPath::kSplice) {
    if (!terms.splice_possible) return {SendPath::kCopy, terms.without};
    return backing == Backing::kLendable ? SendChoice{SendPath::kSplice}
                                         : SendChoice{SendPath::kCopy, CopyReason::kPolicy};
  }
  if (terms.requested == SendPath::kZerocopy || terms.peer == nullptr) {
    if (!terms.zerocopy_possible) return {SendPath::kCopy, terms.without};
    if (terms.quarantine_full || terms.requested == SendPath::kAuto) return {SendPath::kCopy, CopyReason::kPolicy};
    return {SendPath::kZerocopy};
  }
  SendChoice choice;
  choice.reason = terms.same_host ? CopyReason::kSameHostCopy : CopyReason::kBelowThreshold;
  if (payload_bytes < PeerPaths::kFromBytes) return choice;
  const PeerPaths::Choice chosen =
      terms.peer->Choose(payload_bytes, {.same_host = terms.same_host,
                                         .zerocopy = terms.zerocopy_possible && !terms.quarantine_full,
                                         .map = terms.whole_page_segments});
  choice.path = chosen.pair.send;
  choice.reason = terms.same_host ? CopyReason::kSameHostCopy : CopyReason::kPolicy;
  choice.receive = chosen.pair.receive;
  choice.group = chosen.group;
  choice.evidence = chosen.evidence;
  return choice;
}

ReceiveChoice ChooseReceivePath(const ReceiveTerms& terms) {
  const bool automatic = terms.requested == ReceivePath::kAuto;
  if (terms.without == CopyReason::kTls) return {false, CopyReason::kTls};
  if (terms.requested == ReceivePath::kCopy) return {false, CopyReason::kForced};
  if (automatic && terms.same_host) {
    return {false, CopyReason::kSameHostCopy, 0, terms.map_possible && terms.whole_page_segments};
  }
  if (!terms.map_possible) return {false, terms.without};
  if (!terms.whole_page_segments) return {false, CopyReason::kMss};
  if (!terms.arena) return {false, CopyReason::kNoArena};
  return {true, CopyReason::kPolicy, automatic ? PeerPaths::kFromBytes : kPageBytes, automatic};
}

}  // namespace pagewire::transport
