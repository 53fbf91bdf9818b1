#include "wire/copy_reason.h"

namespace pagewire::wire {
namespace {

// The wire's numbers are the public enum's plus 1, since 0 stands for an absent field.
constexpr v1::CopyReason Shifted(CopyReason reason) {
  return static_cast<v1::CopyReason>(static_cast<int>(reason) + 1);
}

static_assert(Shifted(CopyReason::kBelowThreshold) == v1::COPY_REASON_BELOW_THRESHOLD);
static_assert(Shifted(CopyReason::kTail) == v1::COPY_REASON_TAIL);
static_assert(Shifted(CopyReason::kUnaligned) == v1::COPY_REASON_UNALIGNED);
static_assert(Shifted(CopyReason::kPartialPage) == v1::COPY_REASON_PARTIAL_PAGE);
static_assert(Shifted(CopyReason::kCompoundPage) == v1::COPY_REASON_COMPOUND_PAGE);
static_assert(Shifted(CopyReason::kNoArena) == v1::COPY_REASON_NO_ARENA);
static_assert(Shifted(CopyReason::kBudget) == v1::COPY_REASON_BUDGET);
static_assert(Shifted(CopyReason::kTls) == v1::COPY_REASON_TLS);
static_assert(Shifted(CopyReason::kSameHostCopy) == v1::COPY_REASON_SAME_HOST_COPY);
static_assert(Shifted(CopyReason::kMss) == v1::COPY_REASON_MSS);
static_assert(Shifted(CopyReason::kEnobufs) == v1::COPY_REASON_ENOBUFS);
static_assert(Shifted(CopyReason::kNotPageBacked) == v1::COPY_REASON_NOT_PAGE_BACKED);
static_assert(Shifted(CopyReason::kKernelUnsupported) == v1::COPY_REASON_KERNEL_UNSUPPORTED);
static_assert(Shifted(CopyReason::kPolicy) == v1::COPY_REASON_POLICY);
static_assert(Shifted(CopyReason::kForced) == v1::COPY_REASON_FORCED);
static_assert(kCopyReasonCount == v1::CopyReason_ARRAYSIZE - 1);

}  // namespace

v1::CopyReason ToWire(CopyReason reason) { return Shifted(reason); }

v1::ReceivePath ToWire(ReceivePath path) {
  return path == ReceivePath::kMap ? v1::RECEIVE_PATH_MAP : v1::RECEIVE_PATH_COPY;
}

std::optional<CopyReason> FromWire(v1::CopyReason reason) {
  if (reason == v1::COPY_REASON_UNSPECIFIED || !v1::CopyReason_IsValid(reason)) return std::nullopt;
  return static_cast<CopyReason>(static_cast<int>(reason) - 1);
}

std::optional<ReceivePath> FromWire(v1::ReceivePath path) {
  switch (path) {
    case v1::RECEIVE_PATH_COPY:
      return ReceivePath::kCopy;
    case v1::RECEIVE_PATH_MAP:
      return ReceivePath::kMap;
    default:
      return std::nullopt;
  }
}

}  // namespace pagewire::wire
