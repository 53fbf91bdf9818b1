// What the library measures of calls and of the process. Link pagewire::admin.
#pragma once

#include <pagewire/interceptor.h>
#include <pagewire/metrics_registry.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <vector>

namespace pagewire {

// Adds gauges of the process: pagewire_held_bytes, pagewire_held_budget_bytes (pagewire/held_budget.h) and
// pagewire_quarantined_bytes (pagewire/quarantine.h). ALREADY_EXISTS when the registry has them.
absl::Status AddProcessMetrics(MetricsRegistry& registry);

struct CallMetricsOptions {
  // Upper bounds of the ranges of durations, in seconds.
  std::vector<double> duration_bounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                         0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};

  // What time it is; null: a clock that nobody sets. Any thread.
  std::function<absl::Duration()> clock = nullptr;
};

// For ChannelOptions::interceptors and ServerBuilder::AddInterceptor; one may serve many channels, and several may
// share a registry. Each call counts in these metrics, whose names begin with "pagewire_client_" or "pagewire_server_":
//
//   calls_started_total{method}              counter
//   calls_in_flight{method}                  gauge
//   calls_ended_total{method,code}           counter    code: "OK", "UNAVAILABLE", ...
//   call_duration_seconds{method,code}       histogram  from the interceptor to the end
//   sent_messages_total{method}              counter    and received_...
//   sent_message_bytes_total{method}         counter    and received_...: serialized messages
//   sent_payload_bytes_total{method}         counter    and received_...: beside them
//
// and the payloads of which the library knows what became of them, see CallObserver::OnPayloadsSent:
//
//   sent_payloads_total{method,send_path,receive_path}        counter
//   received_payloads_total{method,receive_path}              counter
//   sent_mapped_bytes_total{method}                           counter  and received_...
//   sent_copied_bytes_total{method,reason}                    counter  and received_...: by the receiver
//   sent_kernel_copied_bytes_total{method,reason}             counter  by the sender's kernel
//
// Paths and reasons have their names of pagewire/paths.h. Of a piecewise payload each piece counts as one.
//
// They are brought up to date soon after what they count, not before the call goes on. At a server the code is what the
// handler ended with, also when its client had gone. At most 1000 methods are told apart; the rest has method "other",
// calls that a generic service answers have "<generic>".
//
// Status: as MetricsRegistry's, when one of the names is taken or the bounds are not allowed.
absl::StatusOr<std::shared_ptr<ClientInterceptor>> MakeClientMetrics(std::shared_ptr<MetricsRegistry> registry,
                                                                     const CallMetricsOptions& options = {});
absl::StatusOr<std::shared_ptr<ServerInterceptor>> MakeServerMetrics(std::shared_ptr<MetricsRegistry> registry,
                                                                     const CallMetricsOptions& options = {});

}  // namespace pagewire
