#include <pagewire/transfer_report.h>

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <array>
#include <cstdint>
#include <numeric>
#include <string>

#include "base/string_view.h"

namespace pagewire {
namespace {

using Reasons = std::array<uint64_t, kCopyReasonCount>;

// " (4096 tail: ...; ...)", nothing where there is none.
std::string Why(const Reasons& bytes) {
  std::string text;
  for (int i = 0; i < kCopyReasonCount; ++i) {
    if (bytes[i] == 0) continue;
    const auto reason = static_cast<CopyReason>(i);
    absl::StrAppend(&text, text.empty() ? " (" : "; ", bytes[i], " ", base::ToAbsl(CopyReasonName(reason)), ": ",
                    base::ToAbsl(CopyReasonText(reason)));
  }
  return text.empty() ? text : text + ")";
}

uint64_t Sum(const Reasons& bytes) { return std::accumulate(bytes.begin(), bytes.end(), uint64_t{0}); }

}  // namespace

std::string TransferReport::ToString() const {
  std::string text = absl::StrCat(payload_bytes, " bytes ", base::ToAbsl(SendPathName(send_path)), "/",
                                  base::ToAbsl(ReceivePathName(receive_path)), ", ", mapped_bytes, " mapped, copied");
  for (int i = 0; i < kCopyReasonCount; ++i) {
    if (copied_bytes[i] == 0) continue;
    absl::StrAppend(&text, " ", base::ToAbsl(CopyReasonName(static_cast<CopyReason>(i))), "=", copied_bytes[i]);
  }
  absl::StrAppend(&text, ", ", kernel_copied_bytes, " copied by the sender's kernel, ", chunks, " chunks");
  return text;
}

std::string TransferReport::explain() const {
  if (payload_bytes == 0 && began == absl::InfinitePast()) return "there was no payload";
  std::string text = absl::StrCat(payload_bytes, " bytes");
  if (send_path != SendPath::kAuto) {
    absl::StrAppend(
        &text, ", sent by ", base::ToAbsl(SendPathName(send_path)), ": the sender's kernel copied ",
        kernel_copied_bytes == payload_bytes ? "all of them" : absl::StrCat(kernel_copied_bytes, " of them"),
        Why(kernel_copied_by_reason));
  }
  if (receive_path != ReceivePath::kAuto) {
    absl::StrAppend(&text, send_path != SendPath::kAuto ? "; " : ", ", "received by ",
                    base::ToAbsl(ReceivePathName(receive_path)), ": ", mapped_bytes, " mapped, ", Sum(copied_bytes),
                    " copied", Why(copied_bytes));
  }
  if (send_path == SendPath::kAuto && receive_path == ReceivePath::kAuto) absl::StrAppend(&text, ", not sent yet");
  if (digest) absl::StrAppend(&text, "; with a digest");
  if (evidence.next_send != SendPath::kAuto) {
    absl::StrAppend(&text, "; the next best paths, ", base::ToAbsl(SendPathName(evidence.next_send)), "/",
                    base::ToAbsl(ReceivePathName(evidence.next_receive)), ", took ",
                    absl::StrFormat("%.2f of the time and %.2f of the CPU", evidence.time_ratio, evidence.cpu_ratio),
                    " when last tried, in ", evidence.trials, " trials");
  } else if (evidence.measured) {
    absl::StrAppend(&text, "; no other paths have been tried yet for payloads of this size and this host");
  }
  if (send_cpu_ns + receive_cpu_ns > 0) {
    absl::StrAppend(&text, "; CPU: ", send_cpu_ns / 1000, " us to send, ", receive_cpu_ns / 1000, " us to receive");
  }
  absl::StrAppend(&text, "; ", chunks, " chunks");
  if (finished != absl::InfiniteFuture()) absl::StrAppend(&text, " in ", absl::FormatDuration(finished - began));
  return text;
}

}  // namespace pagewire
