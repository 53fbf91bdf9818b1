#include <pagewire/client_context.h>
#include <pagewire/held_budget.h>
#include <pagewire/metrics.h>
#include <pagewire/quarantine.h>
#include <pagewire/server_context.h>

#include <memory>
#include <utility>

#include "admin/call_series.h"
#include "admin/clock.h"

namespace pagewire {
namespace admin {
namespace {

class MetricsObserver final : public CallObserver {
 public:
  MetricsObserver(std::shared_ptr<CallSeries> series, std::string_view method, const Clock& clock)
      : series_(std::move(series)), method_(series_->Of(method)), clock_(clock), began_(clock_()) {
    method_.started.Add();
    method_.in_flight.Add(1);
  }
  void OnSent(const MessageTraffic& traffic) override { method_.sent.Add(traffic); }
  void OnReceived(const MessageTraffic& traffic) override { method_.received.Add(traffic); }
  void OnPayloadsSent(const TransferTotals& totals) override { series_->CountSent(method_, totals); }
  void OnPayloadsReceived(const TransferTotals& totals) override { series_->CountReceived(method_, totals); }
  void OnEnd(const absl::Status& status) override {
    method_.in_flight.Add(-1);
    series_->CountEnd(method_, status.code(), clock_() - began_);
  }

 private:
  const std::shared_ptr<CallSeries> series_;
  MethodSeries& method_;
  const Clock clock_;
  const absl::Duration began_;
};

template <typename Interceptor, typename Context>
class MetricsInterceptor final : public Interceptor {
 public:
  MetricsInterceptor(std::shared_ptr<CallSeries> series, Clock clock)
      : series_(std::move(series)), clock_(std::move(clock)) {}

  absl::StatusOr<std::unique_ptr<CallObserver>> Intercept(const Method& method, Context&) override {
    return std::make_unique<MetricsObserver>(series_, method.name, clock_);
  }

 private:
  const std::shared_ptr<CallSeries> series_;
  const Clock clock_;
};

template <typename Interceptor, typename Context>
absl::StatusOr<std::shared_ptr<Interceptor>> MakeMetrics(std::shared_ptr<MetricsRegistry> registry,
                                                         std::string_view prefix, const CallMetricsOptions& options) {
  auto series = CallSeries::Make(std::move(registry), prefix, options);
  if (!series.ok()) return std::move(series).status();
  return std::make_shared<MetricsInterceptor<Interceptor, Context>>(*std::move(series), OrSteadyClock(options.clock));
}

}  // namespace
}  // namespace admin

absl::Status AddProcessMetrics(MetricsRegistry& registry) {
  absl::Status status = registry.AddGauge("pagewire_held_bytes", "Bytes of received payloads that are held.",
                                          [] { return static_cast<double>(HeldBytes()); });
  if (!status.ok()) return status;
  status = registry.AddGauge("pagewire_held_budget_bytes", "How many bytes of received payloads may be held.",
                             [] { return static_cast<double>(HeldBudgetLimit()); });
  if (!status.ok()) return status;
  return registry.AddGauge("pagewire_quarantined_bytes",
                           "Bytes of payloads that the kernel of a dead connection may still look at.",
                           [] { return static_cast<double>(QuarantinedBytes()); });
}

absl::StatusOr<std::shared_ptr<ClientInterceptor>> MakeClientMetrics(std::shared_ptr<MetricsRegistry> registry,
                                                                     const CallMetricsOptions& options) {
  return admin::MakeMetrics<ClientInterceptor, ClientContext>(std::move(registry), "pagewire_client_", options);
}

absl::StatusOr<std::shared_ptr<ServerInterceptor>> MakeServerMetrics(std::shared_ptr<MetricsRegistry> registry,
                                                                     const CallMetricsOptions& options) {
  return admin::MakeMetrics<ServerInterceptor, ServerContext>(std::move(registry), "pagewire_server_", options);
}

}  // namespace pagewire
