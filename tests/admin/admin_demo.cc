// A server with metrics, for a real Prometheus to read: makes as many calls as it is told, prints where its admin port
// is, and stays until standard input ends.
#include <pagewire/admin.h>
#include <pagewire/metrics.h>
#include <pagewire/pagewire.h>

#include <charconv>
#include <iostream>
#include <memory>
#include <string>

#include "integration/blob_service.h"

namespace {

template <typename T>
T Checked(absl::StatusOr<T> result) {
  if (result.ok()) return *std::move(result);
  std::cerr << result.status() << "\n";
  exit(1);
}

int Run(int calls) {
  const auto registry = std::make_shared<pagewire::MetricsRegistry>();
  if (const absl::Status status = pagewire::AddProcessMetrics(*registry); !status.ok()) {
    std::cerr << status << "\n";
    return 1;
  }
  pagewire::test::BlobService service;
  pagewire::ServerBuilder builder;
  builder.RegisterService(&service).AddInterceptor(Checked(pagewire::MakeServerMetrics(registry)));
  const auto server = Checked(builder.BuildAndStart());
  pagewire::ChannelOptions options;
  options.interceptors = {Checked(pagewire::MakeClientMetrics(registry))};
  pagewire::test::Blob::Stub stub(pagewire::CreateInProcessChannel(*server, options));
  for (int i = 0; i < calls; ++i) {
    pagewire::ClientContext context;
    Checked(stub.Echo(context, {}));
  }
  // What a scrape must not stumble over.
  Checked(registry->Counters({.name = "demo_labels_total", .help = "Back\\slash,\nline.", .labels = {"text"}}))
      ->With({"quote \" back\\slash\nline \xc3\xa4 \xff"})
      .Add(7);
  const auto admin = Checked(pagewire::AdminServer::Start({.metrics = registry}));
  std::cout << admin->port() << std::endl;
  std::cin.ignore(1);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  int calls = 0;
  const std::string text = argc == 2 ? argv[1] : "";
  if (std::from_chars(text.data(), text.data() + text.size(), calls).ec != std::errc()) {
    std::cerr << "usage: admin_demo CALLS\n";
    return 2;
  }
  return Run(calls);
}
