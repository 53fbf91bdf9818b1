#include <pagewire/paths.h>

#include <array>

namespace pagewire {
namespace {

constexpr std::array<std::string_view, 6> kSendPathNames = {"auto", "copy", "zerocopy", "fixed", "splice", "file"};
constexpr std::array<std::string_view, 3> kReceivePathNames = {"auto", "copy", "map"};
constexpr std::array<std::string_view, kCopyReasonCount> kCopyReasonNames = {
    "below_threshold", "tail", "unaligned", "partial_page",    "compound_page",      "no_arena", "budget", "tls",
    "same_host_copy",  "mss",  "enobufs",   "not_page_backed", "kernel_unsupported", "policy",   "forced"};

constexpr std::array<std::string_view, kCopyReasonCount> kCopyReasonTexts = {
    "the payload is too small for pages to pay",
    "the last bytes, less than a page, travel in a frame",
    "they did not begin at a page of the receive queue",
    "less than a whole page was queued",
    "the sender's kernel put them into compound pages, which cannot be mapped",
    "no address range for mapping could be set up",
    "the address range for mapping was used up",
    "they are encrypted in user space",
    "both ends are on one host, where copying is cheaper",
    "the path's segments cannot hold whole pages; raise the MTU",
    "the kernel had no room to track another send without a copy",
    "the memory has no pages that the kernel may reference",
    "this kernel or socket cannot do it",
    "this version or its configuration has no other path here",
    "the user asked for copying"};

template <typename Path, size_t kCount>
std::optional<Path> Parse(const std::array<std::string_view, kCount>& names, std::string_view name) {
  for (size_t i = 0; i < kCount; ++i) {
    if (names[i] == name) return static_cast<Path>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view SendPathName(SendPath path) { return kSendPathNames[static_cast<size_t>(path)]; }
std::string_view ReceivePathName(ReceivePath path) { return kReceivePathNames[static_cast<size_t>(path)]; }
std::string_view CopyReasonName(CopyReason reason) { return kCopyReasonNames[static_cast<size_t>(reason)]; }
std::string_view CopyReasonText(CopyReason reason) { return kCopyReasonTexts[static_cast<size_t>(reason)]; }

std::optional<SendPath> ParseSendPath(std::string_view name) { return Parse<SendPath>(kSendPathNames, name); }
std::optional<ReceivePath> ParseReceivePath(std::string_view name) {
  return Parse<ReceivePath>(kReceivePathNames, name);
}

}  // namespace pagewire
