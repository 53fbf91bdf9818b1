#include <pagewire/paths.h>

#include <array>

namespace pagewire {
namespace {

constexpr std::array<std::string_view, 6> kSendPathNames = {"auto", "copy", "zerocopy", "fixed", "splice", "file"};
constexpr std::array<std::string_view, 3> kReceivePathNames = {"auto", "copy", "map"};
constexpr std::array<std::string_view, kCopyReasonCount> kCopyReasonNames = {
    "below_threshold", "tail", "unaligned", "partial_page",    "compound_page",      "no_arena", "budget", "tls",
    "same_host_copy",  "mss",  "enobufs",   "not_page_backed", "kernel_unsupported", "policy",   "forced"};

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

std::optional<SendPath> ParseSendPath(std::string_view name) { return Parse<SendPath>(kSendPathNames, name); }
std::optional<ReceivePath> ParseReceivePath(std::string_view name) {
  return Parse<ReceivePath>(kReceivePathNames, name);
}

}  // namespace pagewire
