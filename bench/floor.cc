#include "floor.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/time/clock.h>

#include <memory>
#include <thread>

#include "base/string_view.h"
#include "floor_receiver.h"
#include "floor_sender.h"
#include "harness/server_process.h"

namespace pagewire::bench {
namespace {

constexpr absl::Duration kWarmUp = absl::Milliseconds(500);

std::string Field(const char* name, double value) {
  return absl::StrCat(", \"", name, "\": ", absl::StrFormat("%.3f", value));
}

}  // namespace

std::string RunFloor(const FloorOptions& options) {
  const ServerProcess receiver([&](int& its_port) -> std::shared_ptr<void> {
    const int listener = FloorListen(its_port, options.tuned);
    return std::make_shared<std::thread>([listener, &options] {
      FloorReceiver its(options, FloorAccept(listener, options.tuned));
      while (its.Next()) continue;
    });
  });
  FloorSender sender(options, FloorConnect(receiver.port(), options.tuned));
  const auto next = [&sender] {
    if (!sender.Next()) FloorDie("the receiver has gone");
  };
  for (const absl::Time end = absl::Now() + kWarmUp; absl::Now() < end;) next();
  const uint64_t own = OwnUsage().cpu_us, theirs = receiver.usage().cpu_us, before = sender.acknowledged();
  const absl::Time began = absl::Now(), end = began + options.duration;
  while (absl::Now() < end) next();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  const double calls = static_cast<double>(sender.acknowledged() - before);
  const double megabytes = calls * options.payload_bytes / 1e6;
  const double own_cpu = OwnUsage().cpu_us - own, their_cpu = receiver.usage().cpu_us - theirs;
  return absl::StrCat(
      "{\"workload\": \"floor\", \"payload_bytes\": ", options.payload_bytes, ", \"inflight\": ", options.inflight,
      ", \"touch\": ", options.touch ? 1 : 0, Field("calls_per_s", calls / seconds),
      Field("gb_per_s", megabytes / 1e3 / seconds), Field("client_cpu_us_per_mb", own_cpu / megabytes),
      Field("server_cpu_us_per_mb", their_cpu / megabytes),
      Field("total_cpu_us_per_mb", (own_cpu + their_cpu) / megabytes), ", \"paths\": \"",
      base::ToAbsl(SendPathName(options.send)), "/", base::ToAbsl(ReceivePathName(options.receive)),
      options.until_queue_empty ? ", until SIOCOUTQ is empty" : "", options.tuned ? "" : ", untuned", "\"}");
}

}  // namespace pagewire::bench
