// The ways a payload's bytes can take, and why bytes were copied although they might have been mapped.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pagewire {

// How the sender hands bytes to the kernel.
enum class SendPath : uint8_t {
  kAuto,      // chosen by the library, per payload
  kCopy,      // sendmsg: the kernel copies
  kZerocopy,  // MSG_ZEROCOPY
  kFixed,     // io_uring SEND_ZC from registered buffers
  kSplice,    // vmsplice: by reference, for memory of the pool and received pages; for peers that are trusted
  kFile,      // sendfile or splice from a file
};
inline constexpr int kSendPathCount = static_cast<int>(SendPath::kFile) + 1;

// How the receiver takes bytes from the kernel.
enum class ReceivePath : uint8_t {
  kAuto,  // chosen by the library, per payload
  kCopy,  // recv into pooled, page-aligned memory
  kMap,   // TCP_ZEROCOPY_RECEIVE
};
inline constexpr int kReceivePathCount = static_cast<int>(ReceivePath::kMap) + 1;

// A closed set: every copied byte has exactly one of these reasons.
enum class CopyReason : uint8_t {
  kBelowThreshold,     // the payload is too small for pages to pay
  kTail,               // the last size % 4096 bytes
  kUnaligned,          // the bytes did not start on a page boundary of the receive queue
  kPartialPage,        // less than a whole page was queued
  kCompoundPage,       // the sender's kernel used compound pages, which cannot be mapped
  kNoArena,            // no arena could be set up
  kBudget,             // the arena's share of the held budget was used up
  kTls,                // the bytes are encrypted in user space
  kSameHostCopy,       // both ends on one host, where copying is cheaper
  kMss,                // the path's segment size cannot hold whole pages
  kEnobufs,            // the kernel had no room to track another send without a copy
  kNotPageBacked,      // the memory has no pages that the kernel may reference
  kKernelUnsupported,  // this kernel or socket cannot do it
  kPolicy,             // this version or its configuration has no other path here
  kForced,             // the user asked for copying
};
inline constexpr int kCopyReasonCount = static_cast<int>(CopyReason::kForced) + 1;

// Lower-case names as used in reports, metrics, options and PAGEWIRE_SEND_PATH / PAGEWIRE_RECEIVE_PATH: "copy",
// "zerocopy", ..., "same_host_copy". The result is a literal.
std::string_view SendPathName(SendPath path);
std::string_view ReceivePathName(ReceivePath path);
std::string_view CopyReasonName(CopyReason reason);

// What a reason means, as part of a sentence: "both ends are on one host, where copying is cheaper". A literal.
std::string_view CopyReasonText(CopyReason reason);

// The reverse; nullopt for anything that is not one of the names.
std::optional<SendPath> ParseSendPath(std::string_view name);
std::optional<ReceivePath> ParseReceivePath(std::string_view name);

}  // namespace pagewire
