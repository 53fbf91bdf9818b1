#include "harness/program.h"

#include <absl/flags/flag.h>
#include <absl/flags/parse.h>
#include <absl/flags/usage.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "harness/all_sockets.h"
#include "harness/allocator.h"
#include "harness/flags.h"
#include "harness/json_fields.h"
#include "harness/measure.h"
#include "harness/server_process.h"

ABSL_FLAG(std::string, allocator, "", "malloc or tcmalloc; empty: the one this program is best with");

namespace pagewire::bench {
namespace {

// Tunes the sockets of libraries that do not let their users do it.
class TunedClient final : public Client {
 public:
  TunedClient(std::unique_ptr<Client> client, std::string allocator)
      : client_(std::move(client)), allocator_(std::move(allocator)) {}

  std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) override {
    auto callers = client_->Start(kind, count, tally);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // part of the warm-up: until all are connected
    UseCubicOnAllSockets();
    return callers;
  }

  std::string Fields() const override { return client_->Fields() + JsonField("allocator", allocator_); }

 private:
  const std::unique_ptr<Client> client_;
  const std::string allocator_;
};

}  // namespace

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
  std::string allocator = absl::GetFlag(FLAGS_allocator);
  if (allocator.empty()) allocator = options.workload == "echo" ? program.echo_allocator : program.bulk_allocator;
  if (!RunWithAllocator(allocator, argv)) return 2;
  const ServerProcess server([&](int& port) {
    std::shared_ptr<void> served = program.serve(options, port);
    UseCubicOnAllSockets();
    return served;
  });
  std::unique_ptr<Client> connected = program.connect(options, server.port());
  if (connected == nullptr) return 1;
  TunedClient client(std::move(connected), allocator);
  return PrintResult(Measure(options, program.name, program.version, client, [&] { return server.usage(); }));
}

}  // namespace pagewire::bench
