#include "transfer.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <iterator>
#include <latch>
#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "server_process.h"

namespace pagewire::bench {
namespace {

// What does not count: connecting, the first use of memory.
constexpr absl::Duration kWarmUp = absl::Milliseconds(500);

bool OnLoops(const TransferOptions& options) { return options.on_loops && !options.touch; }

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

// What a number of callers has done, together.
struct Tally {
  std::atomic<uint64_t> calls = 0;
  std::atomic<uint64_t> bytes = 0;
  std::atomic<uint64_t> mapped = 0;
  std::atomic<int> failures = 0;
  base::Mutex mutex;
  std::vector<uint32_t> latencies_ns ABSL_GUARDED_BY(mutex);
  std::string paths ABSL_GUARDED_BY(mutex);

  void Reset() {
    calls = bytes = mapped = 0;
    base::MutexLock lock(mutex);
    latencies_ns.clear();
  }
  // The latency below which `part` of the calls are, in microseconds.
  double Latency(double part) {
    base::MutexLock lock(mutex);
    if (latencies_ns.empty()) return 0;
    const size_t rank = std::min(latencies_ns.size() - 1, static_cast<size_t>(part * latencies_ns.size()));
    std::nth_element(latencies_ns.begin(), latencies_ns.begin() + rank, latencies_ns.end());
    return latencies_ns[rank] / 1e3;
  }
};

enum class Kind { kEcho, kPut, kGet };

// Makes one call after the other until it is told to stop.
class Caller : public std::enable_shared_from_this<Caller> {
 public:
  Caller(Transfer::Stub& stub, Kind kind, const TransferOptions& options, Tally& tally)
      : stub_(stub), kind_(kind), touch_(options.touch), source_(options.payload_bytes, options.touch), tally_(tally) {
    request_.set_filler(std::string(options.message_bytes, 'x'));
    if (kind == Kind::kGet) request_.set_size(options.payload_bytes);
  }

  void Start() { Next(); }
  void StopAndWait() {
    stop_ = true;
    stopped_.wait();
  }

 private:
  void Next() {
    if (stop_) return stopped_.count_down();
    context_ = std::make_unique<ClientContext>();
    const Payload payload = kind_ == Kind::kPut ? source_.Next() : Payload();
    began_ = absl::GetCurrentTimeNanos();
    const auto self = shared_from_this();
    switch (kind_) {
      case Kind::kEcho:
        return stub_.Callback().Echo(*context_, request_,
                                     [self](const absl::StatusOr<Load>& reply) { self->Take(reply.status(), 0); });
      case Kind::kPut:
        return stub_.Callback().Put(*context_, request_, payload, [self](const absl::StatusOr<Load>& reply) {
          self->Take(reply.status(), reply.ok() ? reply->size() : 0);
        });
      case Kind::kGet:
        return stub_.Callback().Get(*context_, request_, [self](const absl::StatusOr<WithPayload<Load>>& reply) {
          if (reply.ok() && self->touch_ && ReadAll(reply->payload) == 0) return self->Take(absl::DataLossError(""), 0);
          self->Take(reply.status(), reply.ok() ? reply->payload.size() : 0);
        });
    }
  }

  void Take(const absl::Status& status, uint64_t bytes) {
    if (!status.ok()) {
      if (tally_.failures++ == 0) std::fprintf(stderr, "%s\n", status.ToString().c_str());
      return stopped_.count_down();
    }
    const uint64_t latency = absl::GetCurrentTimeNanos() - began_;
    const CallTransferReport& reports = context_->transfer_report();
    const TransferReport& report = kind_ == Kind::kGet ? reports.received : reports.sent;
    ++tally_.calls;
    tally_.bytes += bytes;
    tally_.mapped += report.mapped_bytes;
    {
      base::MutexLock lock(tally_.mutex);
      tally_.latencies_ns.push_back(static_cast<uint32_t>(std::min<uint64_t>(latency, UINT32_MAX)));
      if (kind_ != Kind::kEcho && tally_.paths.empty()) {
        tally_.paths = absl::StrCat(std::string(SendPathName(report.send_path)), "/",
                                    std::string(ReceivePathName(report.receive_path)));
      }
    }
    Next();
  }

  Transfer::Stub& stub_;
  const Kind kind_;
  const bool touch_;
  const PayloadSource source_;
  Tally& tally_;
  Load request_;
  std::unique_ptr<ClientContext> context_;
  int64_t began_ = 0;
  std::atomic<bool> stop_ = false;
  std::latch stopped_{1};
};

class Callers {
 public:
  Callers(int count, Transfer::Stub& stub, Kind kind, const TransferOptions& options, Tally& tally) {
    for (int i = 0; i < count; ++i) callers_.push_back(std::make_shared<Caller>(stub, kind, options, tally));
    for (const auto& caller : callers_) caller->Start();
  }
  ~Callers() {
    for (const auto& caller : callers_) caller->StopAndWait();
  }

 private:
  std::vector<std::shared_ptr<Caller>> callers_;
};

std::string Field(const char* name, double value, const char* format = "%.3f") {
  return absl::StrCat(", \"", name, "\": ", absl::StrFormat(*absl::ParsedFormat<'f'>::New(format), value));
}

std::string Latencies(const char* prefix, Tally& tally) {
  return absl::StrCat(Field(absl::StrCat(prefix, "p50_us").c_str(), tally.Latency(0.5)),
                      Field(absl::StrCat(prefix, "p99_us").c_str(), tally.Latency(0.99)),
                      Field(absl::StrCat(prefix, "p999_us").c_str(), tally.Latency(0.999)));
}

// Runs `count` callers for the time asked for, and says what they did and what it cost.
std::string Measure(Transfer::Stub& stub, Kind kind, const TransferOptions& options,
                    const std::function<uint64_t()>& server_cpu, Tally& tally) {
  const Callers callers(options.inflight, stub, kind, options, tally);
  absl::SleepFor(kWarmUp);
  tally.Reset();
  const uint64_t own = OwnUsage().cpu_us, theirs = server_cpu();
  const absl::Time began = absl::Now();
  absl::SleepFor(options.duration);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  const double calls = tally.calls, bytes = tally.bytes, mapped = tally.mapped;
  const double own_cpu = OwnUsage().cpu_us - own, their_cpu = server_cpu() - theirs;
  std::string json = absl::StrCat(Field("calls_per_s", calls / seconds, "%.1f"), Latencies("", tally));
  if (bytes > 0) {
    absl::StrAppend(
        &json, Field("gb_per_s", bytes / seconds / 1e9), Field("client_cpu_us_per_mb", own_cpu / bytes * 1e6),
        Field("server_cpu_us_per_mb", their_cpu / bytes * 1e6),
        Field("total_cpu_us_per_mb", (own_cpu + their_cpu) / bytes * 1e6), Field("mapped_fraction", mapped / bytes));
    base::MutexLock lock(tally.mutex);
    absl::StrAppend(&json, ", \"paths\": \"", tally.paths, "\"");
  } else if (calls > 0) {
    absl::StrAppend(&json, Field("client_cpu_us_per_call", own_cpu / calls),
                    Field("server_cpu_us_per_call", their_cpu / calls));
  }
  return json;
}

// Small calls alone, and beside bulk that never pauses.
std::string MeasureMixed(Transfer::Stub& stub, const TransferOptions& options, Tally& tally) {
  Tally small;
  const Callers echo(1, stub, Kind::kEcho, options, small);
  absl::SleepFor(kWarmUp);
  small.Reset();
  absl::SleepFor(options.duration / 2);
  std::string json = Latencies("alone_", small);
  const Callers bulk(options.inflight, stub, Kind::kPut, options, tally);
  absl::SleepFor(kWarmUp);
  small.Reset();
  tally.Reset();
  absl::SleepFor(options.duration / 2);
  const double seconds = absl::ToDoubleSeconds(options.duration / 2);
  absl::StrAppend(&json, Latencies("beside_", small), Field("gb_per_s", tally.bytes / seconds / 1e9));
  tally.failures += small.failures;
  return json;
}

std::vector<std::unique_ptr<ServerProcess>> StartServers(const TransferOptions& options) {
  std::vector<std::unique_ptr<ServerProcess>> servers;
  if (!options.target.empty()) return servers;
  const int sinks = options.workload == "fanout" ? options.fanout : 1;
  std::vector<std::string> targets;
  for (int i = 0; i < sinks; ++i) {
    servers.push_back(std::make_unique<ServerProcess>([&](int& port) {
      static TransferService service(options.touch);
      return StartServer(service, options, port);
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

uint64_t RemoteCpu(Transfer::Stub& stub, Tally& tally) {
  ClientContext context;
  context.set_timeout(absl::Seconds(10));
  const absl::StatusOr<ServerUsage> usage = stub.Usage(context, Load());
  if (usage.ok()) return usage->cpu_us();
  if (tally.failures++ == 0) std::fprintf(stderr, "%s\n", usage.status().ToString().c_str());
  return 0;
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
  TransferService service(touch);
  std::vector<std::unique_ptr<Server>> servers;
  for (size_t i = 0; i < std::size(kPaths); ++i) {
    TransferOptions options;
    options.touch = touch;
    options.paths = kPaths[i];
    int port = 0;
    const std::string own = absl::StrCat(address.substr(0, colon + 1), first_port + static_cast<int>(i));
    servers.push_back(StartServer(service, options, port, own));
    if (servers.back() == nullptr) return 1;
  }
  std::printf("serving\n");
  std::fflush(stdout);
  servers.back()->Wait();
  return 0;
}

std::string RunTransfer(const TransferOptions& options) {
  const std::vector<std::unique_ptr<ServerProcess>> servers = StartServers(options);
  ChannelOptions channel_options;
  channel_options.send_path = options.paths.send;
  channel_options.receive_path = options.paths.receive;
  channel_options.connections_per_peer = options.connections;
  channel_options.payload_digests = options.digests;
  channel_options.inline_completions = OnLoops(options);
  const std::string target = servers.empty() ? options.target : servers.back()->target();
  Transfer::Stub stub(CreateCustomChannel(target, InsecureChannelCredentials(), channel_options));
  Tally tally;
  std::string json;
  if (options.workload == "mixed") {
    json = MeasureMixed(stub, options, tally);
  } else {
    const Kind kind = options.workload == "echo" ? Kind::kEcho : options.workload == "get" ? Kind::kGet : Kind::kPut;
    const auto server_cpu = [&] {
      uint64_t sum = 0;
      for (const auto& server : servers) sum += server->usage().cpu_us;
      return servers.empty() ? RemoteCpu(stub, tally) : sum;
    };
    json = Measure(stub, kind, options, server_cpu, tally);
  }
  if (tally.failures > 0) return "";
  return absl::StrCat("{\"workload\": \"", options.workload, "\", \"payload_bytes\": ", options.payload_bytes,
                      ", \"inflight\": ", options.inflight, ", \"touch\": ", options.touch ? 1 : 0,
                      ", \"on_loops\": ", OnLoops(options) ? 1 : 0, ", \"connections_per_peer\": ", options.connections,
                      json, "}");
}

}  // namespace pagewire::bench
