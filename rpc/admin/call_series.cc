#include "admin/call_series.h"

#include <utility>

#include "admin/family_maker.h"

namespace pagewire::admin {

void TrafficSeries::Add(const MessageTraffic& traffic) {
  messages.Add(traffic.messages);
  message_bytes.Add(traffic.message_bytes);
  payload_bytes.Add(traffic.payload_bytes);
}

TrafficSeries CallSeries::Traffic::Of(std::string_view method) const {
  return {messages->With({method}), message_bytes->With({method}), payload_bytes->With({method})};
}

absl::StatusOr<std::shared_ptr<CallSeries>> CallSeries::Make(std::shared_ptr<MetricsRegistry> registry,
                                                             std::string_view prefix,
                                                             const CallMetricsOptions& options) {
  if (registry == nullptr) return absl::InvalidArgumentError("metrics of calls: the registry is null");
  FamilyMaker maker(*registry, prefix);
  Families families;
  families.started = maker.Counters("calls_started_total", "Calls that were begun.");
  families.in_flight = maker.Gauges("calls_in_flight", "Calls that have begun and not ended.");
  families.ended = maker.Counters("calls_ended_total", "Calls that ended, by status code.", {"code"});
  families.duration = maker.Histograms("call_duration_seconds", "How long calls took, by status code.", {"code"},
                                       options.duration_bounds);
  families.sent = {maker.Counters("sent_messages_total", "Messages sent."),
                   maker.Counters("sent_message_bytes_total", "Bytes of messages sent."),
                   maker.Counters("sent_payload_bytes_total", "Bytes of payloads sent.")};
  families.received = {maker.Counters("received_messages_total", "Messages received."),
                       maker.Counters("received_message_bytes_total", "Bytes of messages received."),
                       maker.Counters("received_payload_bytes_total", "Bytes of payloads received.")};
  families.sent_payloads = TransferSeries::OfSent(maker);
  families.received_payloads = TransferSeries::OfReceived(maker);
  if (!maker.status().ok()) return maker.status();
  return std::shared_ptr<CallSeries>(new CallSeries(std::move(registry), families));
}

MethodSeries& CallSeries::Of(std::string_view method) {
  base::MutexLock lock(mutex_);
  if (const auto it = methods_.find(method); it != methods_.end()) return *it->second;
  if (methods_.size() >= kMaxMethods) method = "other";
  std::unique_ptr<MethodSeries>& series = methods_[std::string(method)];
  if (series == nullptr) {
    series.reset(new MethodSeries{std::string(method), families_.started->With({method}),
                                  families_.in_flight->With({method}), families_.sent.Of(method),
                                  families_.received.Of(method)});
  }
  return *series;
}

void CallSeries::CountSent(const MethodSeries& method, const TransferTotals& totals) const {
  families_.sent_payloads.Add(method.method, totals);
}

void CallSeries::CountReceived(const MethodSeries& method, const TransferTotals& totals) const {
  families_.received_payloads.Add(method.method, totals);
}

void CallSeries::CountEnd(const MethodSeries& method, absl::StatusCode code, absl::Duration duration) const {
  const std::string name = absl::StatusCodeToString(code);
  families_.ended->With({method.method, name}).Add();
  families_.duration->With({method.method, name}).Observe(absl::ToDoubleSeconds(duration));
}

}  // namespace pagewire::admin
