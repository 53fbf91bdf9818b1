#include "bulk/demo/table.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <string>

namespace bulk::demo {
namespace {

constexpr char kHead[] =
    "send/receive         GB/s   client CPU   server CPU   whole pages   copied by   bytes copied\n"
    "                               (µs/MB)      (µs/MB)        mapped  the kernel   by reason\n";

constexpr char kNotes[] =
    "GB/s: payload bytes, put and got, by the time of the calls, one after the other, without the time that the "
    "server\n"
    "spent on files and digests. CPU: all threads of each process, user code and kernel, without reading, writing and\n"
    "hashing files. MB is 10^6 bytes, GB 10^9. Copied by the kernel: of the bytes put, on the sender's side.\n"
    "Both processes are on this machine, and nothing here is the speed of a network. Over loopback the kernel copies "
    "what is\n"
    "sent without a copy all the same, into fresh pages, before the receiver maps them: zerocopy/map then pays for the "
    "copy and\n"
    "for the mapping, so auto copies here (same_host_copy). Between hosts there is no such copy.\n";

std::string Reasons(const Figures& run) {
  std::string text;
  for (int i = 0; i < pagewire::kCopyReasonCount; ++i) {
    if (run.copied_bytes[i] == 0) continue;
    const std::string name(pagewire::CopyReasonName(static_cast<pagewire::CopyReason>(i)));
    absl::StrAppend(&text, text.empty() ? "" : ", ", name, " ", run.copied_bytes[i]);
  }
  return text.empty() ? "none" : text;
}

}  // namespace

void PrintTable(const std::vector<Figures>& runs, std::ostream& out) {
  out << '\n' << kHead;
  for (const Figures& run : runs) {
    out << absl::StrFormat("%-16s %8.2f %12.1f %12.1f %11.1f %% %9.1f %%   %s\n", LabelOf(run.row),
                           run.GigabytesPerSecond(), run.ClientCpuMicrosPerMegabyte(), run.ServerCpuMicrosPerMegabyte(),
                           100 * run.MappedFraction(), 100 * run.KernelCopiedFraction(), Reasons(run));
  }
  out << '\n' << kNotes << '\n';
  for (const Figures& run : runs) {
    out << absl::StrFormat("%s: %d bytes in %d puts and gets, %s\n", LabelOf(run.row), run.bytes, run.calls,
                           run.verified ? "every byte verified on both ends (XXH3-128)" : "NOT VERIFIED");
  }
}

}  // namespace bulk::demo
