#include "harness/measure.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#include "harness/json_fields.h"

namespace pagewire::bench {
namespace {

// What does not count: connecting, the first use of memory.
constexpr std::chrono::milliseconds kWarmUp(500);

double SecondsSince(Recorder::Time began) { return std::chrono::duration<double>(Recorder::Now() - began).count(); }

// What waits for calls that do not end gives up after this.
constexpr std::chrono::seconds kLongest(60);

// Lets calls be made for that time, and until so many have ended, and says how long it was. It ends with the end of a
// call: of the few that a second has room for with a GiB each, one more or less would be a tenth. That is looked for
// every half millisecond, which costs nothing.
double Run(std::chrono::duration<double> duration, const Tally& tally, uint64_t calls) {
  const Recorder::Time began = Recorder::Now();
  std::this_thread::sleep_for(duration);
  const uint64_t enough = std::max(calls, tally.calls() + 1);
  while (tally.calls() < enough && !tally.failed() && Recorder::Now() - began < duration + kLongest) {
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return SecondsSince(began);
}

// Every call in flight has used its memory, at both ends, and has used it again.
void WarmUp(const Tally& tally, int inflight) { Run(kWarmUp, tally, uint64_t{2} * inflight); }

std::string PeakFields(const std::function<Usage()>& server_usage) {
  return JsonField("client_peak_rss_bytes", OwnUsage().peak_resident_bytes) +
         JsonField("server_peak_rss_bytes", server_usage().peak_resident_bytes);
}

// The CPU time of each side, and of both, for each of `units`.
std::string CpuFields(const char* unit, double own_us, double their_us, double units) {
  return JsonField(std::string("client_cpu_us_per_") + unit, own_us / units) +
         JsonField(std::string("server_cpu_us_per_") + unit, their_us / units) +
         JsonField(std::string("total_cpu_us_per_") + unit, (own_us + their_us) / units);
}

std::string MeasureOne(const Options& options, Client& client, const std::function<Usage()>& server_usage,
                       Tally& tally) {
  const Kind kind = options.workload == "echo" ? Kind::kEcho : options.workload == "get" ? Kind::kGet : Kind::kPut;
  const auto callers = client.Start(kind, options.inflight, tally);
  WarmUp(tally, options.inflight);
  const Usage theirs_before = server_usage(), own_before = OwnUsage();
  tally.Restart();
  const double seconds = Run(options.duration, tally, 1);
  const auto calls = static_cast<double>(tally.calls()), bytes = static_cast<double>(tally.bytes());
  const Usage own = OwnUsage(), theirs = server_usage();
  if (calls == 0) return "";
  std::string json = JsonField("calls_per_s", calls / seconds, 1) + tally.LatencyFields("") +
                     JsonField("gb_per_s", bytes / seconds / 1e9);
  const auto own_us = static_cast<double>(own.cpu_us - own_before.cpu_us);
  const auto their_us = static_cast<double>(theirs.cpu_us - theirs_before.cpu_us);
  json +=
      kind == Kind::kEcho ? CpuFields("call", own_us, their_us, calls) : CpuFields("mb", own_us, their_us, bytes / 1e6);
  if (options.count_allocations) {
    const auto own_count = static_cast<double>(own.allocations - own_before.allocations);
    const auto their_count = static_cast<double>(theirs.allocations - theirs_before.allocations);
    json += JsonField("client_allocations_per_call", own_count / calls) +
            JsonField("server_allocations_per_call", their_count / calls) +
            JsonField("allocations_per_call", (own_count + their_count) / calls);
  }
  return json;
}

// Small calls alone, and beside bulk that never pauses.
std::string MeasureMixed(const Options& options, Client& client, Tally& bulk) {
  Tally small;
  const auto echo = client.Start(Kind::kEcho, 1, small);
  WarmUp(small, 1);
  small.Restart();
  Run(options.duration / 2, small, 1);
  if (small.calls() == 0) return "";
  std::string json = small.LatencyFields("alone_");
  const auto puts = client.Start(Kind::kPut, options.inflight, bulk);
  WarmUp(bulk, options.inflight);
  small.Restart();
  bulk.Restart();
  const double seconds = Run(options.duration / 2, bulk, 1);
  if (small.calls() == 0 || bulk.calls() == 0 || small.failed()) return "";
  return json + small.LatencyFields("beside_") +
         JsonField("gb_per_s", static_cast<double>(bulk.bytes()) / seconds / 1e9);
}

}  // namespace

std::string Measure(const Options& options, const std::string& program, const std::string& version, Client& client,
                    const std::function<Usage()>& server_usage) {
  Tally tally;
  std::string figures = options.workload == "mixed" ? MeasureMixed(options, client, tally)
                                                    : MeasureOne(options, client, server_usage, tally);
  if (tally.failed()) return "";
  if (figures.empty()) {
    std::fprintf(stderr, "%s: no call has ended within %.0f s, or a small one has failed\n", program.c_str(),
                 options.duration.count() + std::chrono::duration<double>(kLongest).count());
    return "";
  }
  return "{" + JsonField("program", program).substr(2) + JsonField("workload", options.workload) +
         JsonField("form", options.form) + JsonField("payload_bytes", options.payload_bytes) +
         JsonField("message_bytes", options.message_bytes) + JsonField("inflight", options.inflight) +
         JsonField("touch", options.touch ? 1 : 0) + figures + PeakFields(server_usage) + client.Fields() +
         JsonField("version", version) + "}";
}

}  // namespace pagewire::bench
