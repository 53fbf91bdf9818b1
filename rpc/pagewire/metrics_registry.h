// Counters, gauges and histograms, and their text for Prometheus. Link pagewire::admin.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/types/span.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pagewire {

// Only grows. Any thread, without a lock.
class Counter {
 public:
  void Add(uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

// Goes up and down. Any thread, without a lock.
class Gauge {
 public:
  void Add(int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  void Set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

// How often values fell into which range. Any thread, without a lock; somebody who reads meanwhile may see a value in
// counts() and not yet in sum().
class Histogram {
 public:
  // The ranges' upper bounds, which belong to them: ascending and finite. One more range takes what is above the last.
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  // A value that is not a number is ignored.
  void Observe(double value);

  const std::vector<double>& bounds() const { return bounds_; }
  std::vector<uint64_t> counts() const;  // of each range by itself
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_ = 0;
};

// What the series of one metric have in common.
struct MetricInfo {
  std::string name;                      // [a-zA-Z_:][a-zA-Z0-9_:]*
  std::string help;                      // one sentence; any characters
  std::vector<std::string> labels = {};  // their names: [a-zA-Z_][a-zA-Z0-9_]*, not beginning with "__"

  // Combinations of label values beyond this many share one series, all of whose labels are "other"; that is logged
  // once. 1000: more than that in one metric is what Prometheus's manual warns of.
  size_t max_series = 1000;
};

// The series of one metric, by the values of its labels.
template <typename Metric>
class MetricFamily {
 public:
  virtual ~MetricFamily() = default;

  // The series with these values, one for each label, in the order of MetricInfo::labels; made when it is asked for
  // first, and as long-lived as the registry. Values beyond the labels are ignored, missing ones are empty. Any thread;
  // takes a lock, so keep the result where that matters.
  virtual Metric& With(absl::Span<const std::string_view> values) = 0;
};

using CounterFamily = MetricFamily<Counter>;
using GaugeFamily = MetricFamily<Gauge>;
using HistogramFamily = MetricFamily<Histogram>;

// All functions may be called from any thread at any time. Families belong to the registry.
class MetricsRegistry {
 public:
  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  // The family of that name, made if there is none. INVALID_ARGUMENT: a name, a label or bounds that are not allowed;
  // ALREADY_EXISTS: the name is taken by a family of another kind, or with other labels or bounds.
  absl::StatusOr<CounterFamily*> Counters(const MetricInfo& info);
  absl::StatusOr<GaugeFamily*> Gauges(const MetricInfo& info);

  // `bounds`: see Histogram; 1 to 100 of them. No label may be called "le".
  absl::StatusOr<HistogramFamily*> Histograms(const MetricInfo& info, const std::vector<double>& bounds);

  // A gauge without labels whose value is asked for whenever somebody reads the metrics: `read` is called from any
  // thread, also from several at once, under no lock, and must stay callable as long as the registry lives. Statuses as
  // above; the name of another such gauge is ALREADY_EXISTS, too.
  absl::Status AddGauge(std::string_view name, std::string_view help, std::function<double()> read);

  // Everything, in Prometheus's text format 0.0.4, ordered by name and by label values. Bytes of label values that are
  // not UTF-8, and control characters other than the line feed, appear as "?".
  std::string PrometheusText() const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace pagewire
