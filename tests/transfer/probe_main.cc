// transfer-probe: both ends of the transfer tests, as programs that can run in network namespaces and be killed.
//
//   transfer-probe serve ADDRESS [--budget BYTES] [--slow_from N --slow_bytes N --bytes_per_second N --pause_ms N]
//     Prints the port and serves until it is killed.
//   transfer-probe send TARGET [--seconds N] [--bytes N] [--seed N] [--threads N] [--churn]
//     Puts and gets stamped payloads, prints what came of it as one line of JSON. 0: every byte was right.
//   transfer-probe flood TARGET [--bytes N] [--payload_bytes N] [--inflight N]
//     Spends that many bytes at the server.
//   transfer-probe pour TARGET [--bytes N] [--seed N] [--budget BYTES]
//     Sends one payload of that many bytes piecewise, and gets one. 0: every byte was right.
// PAGEWIRE_SEND_PATH and PAGEWIRE_RECEIVE_PATH choose the paths.
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <pagewire/pagewire.h>

#include <iostream>
#include <map>
#include <string>

#include "transfer/flood.h"
#include "transfer/pour.h"
#include "transfer/sender.h"
#include "transfer/transfer_service.h"

namespace pagewire::transfer {
namespace {

class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string argument = argv[i];
      if (argument.rfind("--", 0) != 0) {
        words_.push_back(argument);
      } else if (argument == "--churn") {
        values_[argument] = 1;
      } else if (i + 1 == argc || !absl::SimpleAtoi(argv[i + 1], &values_[argument])) {
        std::cerr << argument << " needs a number\n";
        std::exit(2);
      } else {
        ++i;
      }
    }
  }

  std::string word(size_t index) const { return index < words_.size() ? words_[index] : ""; }
  uint64_t value(const std::string& name, uint64_t otherwise) const {
    const auto it = values_.find(name);
    return it == values_.end() ? otherwise : it->second;
  }

 private:
  std::vector<std::string> words_;
  std::map<std::string, uint64_t> values_;
};

int Serve(const Arguments& arguments) {
  TransferService::Pace pace;
  pace.slow_from = arguments.value("--slow_from", 0);
  pace.slow_bytes = arguments.value("--slow_bytes", 0);
  pace.bytes_per_second = arguments.value("--bytes_per_second", 50'000'000);
  pace.pause = absl::Milliseconds(arguments.value("--pause_ms", 0));
  TransferService service(pace);
  if (const uint64_t budget = arguments.value("--budget", 0); budget != 0) SetHeldBudget(budget);
  ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(arguments.word(1), InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
  if (!server.ok()) {
    std::cerr << server.status() << "\n";
    return 1;
  }
  std::cout << port << std::endl;
  (*server)->Wait();
  return 0;
}

int Send(const Arguments& arguments) {
  SenderOptions options;
  options.target = arguments.word(1);
  options.duration = absl::Seconds(arguments.value("--seconds", 5));
  options.bytes = arguments.value("--bytes", 0);
  options.seed = arguments.value("--seed", 1);
  options.threads = static_cast<int>(arguments.value("--threads", 2));
  options.churn = arguments.value("--churn", 0) != 0;
  SenderFindings findings = RunSender(options);
  Transfer::Stub stub(CreateChannel(options.target, InsecureChannelCredentials()));
  ClientContext context;
  context.set_timeout(absl::Seconds(60));
  context.set_wait_for_ready(true);
  const absl::StatusOr<ReportReply> report = stub.Report(context, ReportRequest());
  if (!report.ok()) {
    findings.first_error = std::string(report.status().message());
  } else if (findings.first_error.empty()) {
    findings.first_error = report->first_error();
  }
  std::cout << "{\"calls\": " << findings.calls << ", \"failed_calls\": " << findings.failed_calls
            << ", \"bytes\": " << findings.bytes << ", \"whole_page_bytes\": " << findings.whole_page_bytes
            << ", \"mapped_bytes\": " << findings.mapped_bytes << ", \"mss_bytes\": " << findings.mss_bytes
            << ", \"put_bytes\": " << findings.put_bytes << ", \"file_bytes\": " << findings.file_bytes
            << ", \"kernel_copied_bytes\": " << findings.kernel_copied_bytes
            << ", \"checked_by_server\": " << (report.ok() ? report->checked_bytes() : 0) << ", \"error\": \""
            << findings.first_error << "\"}" << std::endl;
  return findings.first_error.empty() ? 0 : 1;
}

int Run(const Arguments& arguments) {
  const std::string role = arguments.word(0);
  if (role == "serve") return Serve(arguments);
  if (role == "send") return Send(arguments);
  if (role == "flood") {
    return Flood(arguments.word(1), arguments.value("--bytes", 1 << 30), arguments.value("--payload_bytes", 64 << 20),
                 static_cast<int>(arguments.value("--inflight", 4)));
  }
  if (role == "pour") {
    if (const uint64_t budget = arguments.value("--budget", 0); budget != 0) SetHeldBudget(budget);
    return PourAndDraw(arguments.word(1), arguments.value("--bytes", 1 << 30), arguments.value("--seed", 1));
  }
  std::cerr << "the first argument is serve, send, flood or pour\n";
  return 2;
}

}  // namespace
}  // namespace pagewire::transfer

int main(int argc, char** argv) { return pagewire::transfer::Run(pagewire::transfer::Arguments(argc, argv)); }
