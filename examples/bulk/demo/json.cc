#include "bulk/demo/json.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

namespace bulk::demo {
namespace {

std::string Reasons(const Figures& run) {
  std::vector<std::string> members;
  for (int i = 0; i < pagewire::kCopyReasonCount; ++i) {
    if (run.copied_bytes[i] == 0) continue;
    const std::string name(pagewire::CopyReasonName(static_cast<pagewire::CopyReason>(i)));
    members.push_back(absl::StrCat("\"", name, "\": ", run.copied_bytes[i]));
  }
  return absl::StrCat("{", absl::StrJoin(members, ", "), "}");
}

std::string Run(const Figures& run) {
  return absl::StrFormat(
      "    {\n"
      "      \"send_path\": \"%s\",\n"
      "      \"receive_path\": \"%s\",\n"
      "      \"bytes\": %d,\n"
      "      \"verified\": %s,\n"
      "      \"gb_per_s\": %.4f,\n"
      "      \"client_cpu_us_per_mb\": %.2f,\n"
      "      \"server_cpu_us_per_mb\": %.2f,\n"
      "      \"mapped_fraction\": %.6f,\n"
      "      \"kernel_copied_fraction\": %.6f,\n"
      "      \"copied_bytes_by_reason\": %s\n"
      "    }",
      std::string(pagewire::SendPathName(run.row.send)), std::string(pagewire::ReceivePathName(run.row.receive)),
      run.bytes, run.verified ? "true" : "false", run.GigabytesPerSecond(), run.ClientCpuMicrosPerMegabyte(),
      run.ServerCpuMicrosPerMegabyte(), run.MappedFraction(), run.KernelCopiedFraction(), Reasons(run));
}

}  // namespace

std::string ToJson(const std::vector<Figures>& runs) {
  std::vector<std::string> members;
  for (const Figures& run : runs) members.push_back(Run(run));
  return absl::StrCat("{\n  \"runs\": [\n", absl::StrJoin(members, ",\n"), "\n  ]\n}\n");
}

}  // namespace bulk::demo
