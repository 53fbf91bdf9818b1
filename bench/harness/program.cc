#include "harness/program.h"

#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include <absl/flags/usage.h>

#include <algorithm>
#include <cstdio>

#include "harness/flags.h"
#include "harness/measure.h"
#include "harness/server_process.h"

namespace pagewire::bench {

bool ChooseForm(const std::string& program, const std::vector<Form>& forms, Options& options) {
  std::string names;
  for (const Form& form : forms) {
    names += (names.empty() ? "" : ", ") + form.name;
    if (!options.form.empty() && form.name != options.form) continue;
    if (std::count(form.workloads.begin(), form.workloads.end(), options.workload) > 0) {
      options.form = form.name;
      return true;
    }
    if (form.name == options.form) {
      std::fprintf(stderr, "%s: --form=%s has no --workload=%s\n", program.c_str(), form.name.c_str(),
                   options.workload.c_str());
      return false;
    }
  }
  if (options.form.empty()) {
    std::fprintf(stderr, "%s: there is no --workload=%s here\n", program.c_str(), options.workload.c_str());
  } else {
    std::fprintf(stderr, "%s: --form=%s: there are %s\n", program.c_str(), options.form.c_str(), names.c_str());
  }
  return false;
}

int RunProgram(const Program& program, int argc, char** argv) {
  absl::SetProgramUsageMessage("puts " + program.version + " under a load; see bench/README.md");
  absl::ParseCommandLine(argc, argv);
  if (absl::GetFlag(FLAGS_list)) {
    for (const Form& form : program.forms) std::puts(form.name.c_str());
    return 0;
  }
  Options options = OptionsOfFlags();
  if (!ChooseForm(program.name, program.forms, options)) return 2;
  if (options.inflight < 1) return WrongUsage("--inflight: at least 1");
  if (options.workload != "echo" && options.payload_bytes == 0) return WrongUsage("--payload_bytes: at least 1");
  if (!PinToCpu(options.pin_cpu)) return 2;
  const ServerProcess server([&](int& port) { return program.serve(options, port); });
  const std::unique_ptr<Client> client = program.connect(options, server.port());
  if (client == nullptr) return 1;
  return PrintResult(Measure(options, program.name, program.version, *client, [&] { return server.usage(); }));
}

}  // namespace pagewire::bench
