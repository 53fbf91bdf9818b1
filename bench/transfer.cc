#include "transfer.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <cstdio>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "bench.pagewire.h"
#include "harness/json_fields.h"
#include "harness/measure.h"
#include "harness/server_process.h"
#include "transfer_callers.h"
#include "transfer_service.h"

namespace pagewire::bench {
namespace {

bool OnLoops(const TransferOptions& options) {
  return options.on_loops && !options.touch && !(options.piecewise && options.form == "blocking");
}

std::unique_ptr<Server> StartServer(Service& service, const TransferOptions& options, int& port,
                                    const std::string& address = "127.0.0.1:0") {
  ServerBuilder builder;
  builder.AddListeningPort(address, InsecureServerCredentials(), &port);
  builder.SetSendPath(options.paths.send).SetReceivePath(options.paths.receive);
  OnLoops(options) ? builder.RegisterInlineService(&service) : builder.RegisterService(&service);
  absl::StatusOr<std::unique_ptr<Server>> server = builder.BuildAndStart();
  if (!server.ok()) std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
  return server.ok() ? *std::move(server) : nullptr;
}

// A channel, and its callers in the form asked for.
class TransferClient final : public Client {
 public:
  TransferClient(const TransferOptions& options, const std::string& target)
      : options_(options), stub_(CreateCustomChannel(target, InsecureChannelCredentials(), Channels(options))) {}

  std::unique_ptr<Callers> Start(Kind kind, int count, Tally& tally) override {
    callings_.push_back(std::make_unique<Calling>(Calling{stub_, kind, options_, seen_}));
    const Calling& calling = *callings_.back();
    if (options_.form == "blocking") return StartBlocking(calling, count, tally);
    if (options_.form == "coroutine") return StartCoroutines(calling, count, tally);
    return StartCallbacks(calling, count, tally);
  }

  std::string Fields() const override {
    return seen_.Fields() + JsonField("on_loops", OnLoops(options_) ? 1 : 0) +
           JsonField("piecewise", options_.piecewise ? 1 : 0) +
           JsonField("connections_per_peer", uint64_t{options_.connections});
  }

  // Of a server on another host.
  Usage RemoteUsage() {
    ClientContext context;
    context.set_timeout(absl::Seconds(10));
    const absl::StatusOr<ServerUsage> theirs = stub_.Usage(context, Load());
    Usage usage;
    if (!theirs.ok()) {
      std::fprintf(stderr, "%s\n", theirs.status().ToString().c_str());
      return usage;
    }
    usage.cpu_us = theirs->cpu_us();
    usage.peak_resident_bytes = theirs->peak_resident_bytes();
    return usage;
  }

 private:
  static ChannelOptions Channels(const TransferOptions& options) {
    ChannelOptions channel_options;
    channel_options.send_path = options.paths.send;
    channel_options.receive_path = options.paths.receive;
    channel_options.connections_per_peer = options.connections;
    channel_options.payload_digests = options.digests;
    channel_options.inline_completions = OnLoops(options);
    return channel_options;
  }

  const TransferOptions& options_;
  Transfer::Stub stub_;
  SeenPaths seen_;
  std::vector<std::unique_ptr<Calling>> callings_;
};

std::vector<std::unique_ptr<ServerProcess>> StartServers(const TransferOptions& options) {
  std::vector<std::unique_ptr<ServerProcess>> servers;
  if (!options.target.empty()) return servers;
  const int sinks = options.workload == "fanout" ? options.fanout : 1;
  std::vector<std::string> targets;
  for (int i = 0; i < sinks; ++i) {
    servers.push_back(std::make_unique<ServerProcess>([&](int& port) {
      static const auto service = MakeTransferService(options);
      return StartServer(*service, options, port);
    }));
    targets.push_back(servers.back()->target());
  }
  if (options.workload == "forward" || options.workload == "fanout") {
    servers.push_back(std::make_unique<ServerProcess>([&](int& port) {
      static RelayService service(targets, options.paths, OnLoops(options));
      return StartServer(service, options, port);
    }));
  }
  return servers;
}

Usage SumOf(const std::vector<std::unique_ptr<ServerProcess>>& servers) {
  Usage sum;
  for (const auto& server : servers) {
    const Usage usage = server->usage();
    sum.cpu_us += usage.cpu_us;
    sum.resident_bytes += usage.resident_bytes;
    sum.peak_resident_bytes += usage.peak_resident_bytes;
    sum.allocations += usage.allocations;
  }
  return sum;
}

}  // namespace

int ServeTransfers(const std::string& address, bool touch) {
  constexpr TransferPaths kPaths[] = {{SendPath::kAuto, ReceivePath::kAuto},
                                      {SendPath::kCopy, ReceivePath::kCopy},
                                      {SendPath::kCopy, ReceivePath::kMap},
                                      {SendPath::kZerocopy, ReceivePath::kCopy},
                                      {SendPath::kZerocopy, ReceivePath::kMap}};
  const size_t colon = address.rfind(':');
  int first_port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &first_port)) {
    std::fprintf(stderr, "--address: HOST:PORT\n");
    return 2;
  }
  TransferOptions served;
  served.form = "callback";
  served.touch = touch;
  const auto service = MakeTransferService(served);
  std::vector<std::unique_ptr<Server>> servers;
  for (size_t i = 0; i < std::size(kPaths); ++i) {
    TransferOptions options = served;
    options.paths = kPaths[i];
    int port = 0;
    const std::string own = absl::StrCat(address.substr(0, colon + 1), first_port + static_cast<int>(i));
    servers.push_back(StartServer(*service, options, port, own));
    if (servers.back() == nullptr) return 1;
  }
  std::printf("serving\n");
  std::fflush(stdout);
  servers.back()->Wait();
  return 0;
}

std::vector<Form> TransferForms() {
  const std::vector<std::string> all = {"echo", "put", "get", "mixed", "forward", "fanout"};
  return {{"callback", all}, {"blocking", all}, {"coroutine", all}};
}

std::string RunTransfer(const TransferOptions& options) {
  CountsAllocations() = options.count_allocations;  // in the servers, too
  const std::vector<std::unique_ptr<ServerProcess>> servers = StartServers(options);
  TransferClient client(options, servers.empty() ? options.target : servers.back()->target());
  return Measure(options, "pagewire-bench", PAGEWIRE_VERSION, client,
                 [&] { return servers.empty() ? client.RemoteUsage() : SumOf(servers); });
}

}  // namespace pagewire::bench
