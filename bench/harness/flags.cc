#include "harness/flags.h"

#include <absl/flags/flag.h>

#include <cstdint>
#include <cstdio>
#include <fstream>

ABSL_FLAG(std::string, workload, "", "what is done; mostly echo, put, get or mixed");
ABSL_FLAG(std::string, form, "", "how; --list prints what there is, and the first of them is taken unless told");
ABSL_FLAG(double, seconds, 0, "how long it runs, without half a second before it; 0: as suits the workload, mostly 5");
ABSL_FLAG(uint64_t, payload_bytes, 1 << 20, "of each call with a payload");
ABSL_FLAG(uint64_t, message_bytes, 64, "of each small call");
ABSL_FLAG(int32_t, inflight, 1, "calls at a time; mixed: of those with payloads");
ABSL_FLAG(bool, touch, false, "senders write and receivers read every byte of each payload");
ABSL_FLAG(int32_t, pin_cpu, -1, "all processes run on this CPU alone; -1: on any");
ABSL_FLAG(std::string, json, "", "a file that the result is written to, too");
ABSL_FLAG(bool, list, false, "prints the forms, one on a line, and does nothing else");

namespace pagewire::bench {

Options OptionsOfFlags() {
  Options options;
  options.workload = absl::GetFlag(FLAGS_workload);
  options.form = absl::GetFlag(FLAGS_form);
  const bool echo = options.workload == "echo";
  options.payload_bytes = echo ? 0 : absl::GetFlag(FLAGS_payload_bytes);
  options.message_bytes = echo || options.workload == "mixed" ? absl::GetFlag(FLAGS_message_bytes) : 0;
  options.inflight = absl::GetFlag(FLAGS_inflight);
  options.touch = absl::GetFlag(FLAGS_touch);
  if (absl::GetFlag(FLAGS_seconds) > 0) options.duration = std::chrono::duration<double>(absl::GetFlag(FLAGS_seconds));
  options.pin_cpu = absl::GetFlag(FLAGS_pin_cpu);
  return options;
}

int WrongUsage(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return 2;
}

int PrintResult(const std::string& result) {
  if (result.empty()) return 1;
  std::puts(result.c_str());
  if (const std::string path = absl::GetFlag(FLAGS_json); !path.empty()) {
    std::ofstream file(path);
    file << result << "\n";
    if (!file.flush()) return WrongUsage("--json: cannot write " + path);
  }
  return 0;
}

}  // namespace pagewire::bench
