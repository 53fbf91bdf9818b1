// The metrics of calls, method by method.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <pagewire/interceptor.h>
#include <pagewire/metrics.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "admin/transfer_series.h"
#include "base/mutex.h"

namespace pagewire::admin {

// Messages of one direction.
struct TrafficSeries {
  Counter& messages;
  Counter& message_bytes;
  Counter& payload_bytes;

  void Add(const MessageTraffic& traffic);
};

// What calls of one method count in.
struct MethodSeries {
  const std::string method;  // "other" beyond the limit
  Counter& started;
  Gauge& in_flight;
  TrafficSeries sent;
  TrafficSeries received;
};

// Thread-safe.
class CallSeries {
 public:
  // `prefix`: "pagewire_client_". See MakeClientMetrics.
  static absl::StatusOr<std::shared_ptr<CallSeries>> Make(std::shared_ptr<MetricsRegistry> registry,
                                                          std::string_view prefix, const CallMetricsOptions& options);

  // Lives as long as this object.
  MethodSeries& Of(std::string_view method);

  // For what not every call has: looks its series up.
  void CountSent(const MethodSeries& method, const TransferTotals& totals) const;
  void CountReceived(const MethodSeries& method, const TransferTotals& totals) const;
  void CountEnd(const MethodSeries& method, absl::StatusCode code, absl::Duration duration) const;

 private:
  struct Traffic {
    CounterFamily* messages = nullptr;
    CounterFamily* message_bytes = nullptr;
    CounterFamily* payload_bytes = nullptr;
    TrafficSeries Of(std::string_view method) const;
  };
  struct Families {
    CounterFamily* started = nullptr;
    GaugeFamily* in_flight = nullptr;
    CounterFamily* ended = nullptr;
    HistogramFamily* duration = nullptr;
    Traffic sent;
    Traffic received;
    TransferSeries sent_payloads;
    TransferSeries received_payloads;
  };
  CallSeries(std::shared_ptr<MetricsRegistry> registry, const Families& families)
      : registry_(std::move(registry)), families_(families) {}

  const std::shared_ptr<MetricsRegistry> registry_;  // owns the families
  const Families families_;
  base::Mutex mutex_;
  std::map<std::string, std::unique_ptr<MethodSeries>, std::less<>> methods_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::admin
