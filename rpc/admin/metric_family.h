// One metric with all its series.
#pragma once

#include <absl/strings/str_cat.h>
#include <pagewire/log.h>
#include <pagewire/metrics_registry.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

#include "admin/exposition.h"
#include "base/mutex.h"

namespace pagewire::admin {

using LabelValues = std::vector<std::string>;

inline std::string_view TypeOf(const Counter&) { return "counter"; }
inline std::string_view TypeOf(const Gauge&) { return "gauge"; }
inline std::string_view TypeOf(const Histogram&) { return "histogram"; }

void WriteSeries(const MetricInfo& info, const LabelValues& values, const Counter& counter, ExpositionWriter& out);
void WriteSeries(const MetricInfo& info, const LabelValues& values, const Gauge& gauge, ExpositionWriter& out);
void WriteSeries(const MetricInfo& info, const LabelValues& values, const Histogram& histogram, ExpositionWriter& out);

// What a registry keeps. Thread-safe.
class AnyFamily {
 public:
  virtual ~AnyFamily() = default;
  virtual void Write(ExpositionWriter& out) const = 0;
};

template <typename Metric>
class Family final : public MetricFamily<Metric>, public AnyFamily {
 public:
  // `bounds` are a histogram's.
  Family(const MetricInfo& info, std::vector<double> bounds) : info_(info), bounds_(std::move(bounds)) {}

  const MetricInfo& info() const { return info_; }
  const std::vector<double>& bounds() const { return bounds_; }

  Metric& With(absl::Span<const std::string_view> values) override {
    LabelValues key(values.begin(), values.begin() + std::min(values.size(), info_.labels.size()));
    key.resize(info_.labels.size());
    bool full = false;
    Metric* metric = nullptr;
    {
      base::MutexLock lock(mutex_);
      if (const auto it = series_.find(key); it != series_.end()) return *it->second;
      if (series_.size() >= info_.max_series) {
        key.assign(info_.labels.size(), "other");
        full = !std::exchange(told_full_, true);
      }
      std::unique_ptr<Metric>& made = series_[std::move(key)];
      if (made == nullptr) made = Make();
      metric = made.get();
    }
    if (full) {
      Log(LogSeverity::kWarning, absl::StrCat("metric ", info_.name, " has ", info_.max_series,
                                              " series, its limit; further label values count as \"other\""));
    }
    return *metric;
  }

  void Write(ExpositionWriter& out) const override {
    base::MutexLock lock(mutex_);
    if (series_.empty()) return;
    out.Metric(info_.name, info_.help, TypeOf(*series_.begin()->second));
    for (const auto& [values, metric] : series_) WriteSeries(info_, values, *metric, out);
  }

 private:
  std::unique_ptr<Metric> Make() const {
    if constexpr (std::is_same_v<Metric, Histogram>) {
      return std::make_unique<Histogram>(bounds_);
    } else {
      return std::make_unique<Metric>();
    }
  }

  const MetricInfo info_;
  const std::vector<double> bounds_;
  mutable base::Mutex mutex_;
  std::map<LabelValues, std::unique_ptr<Metric>> series_ ABSL_GUARDED_BY(mutex_);
  bool told_full_ ABSL_GUARDED_BY(mutex_) = false;
};

// A gauge whose value somebody else knows.
class ReadGauge final : public AnyFamily {
 public:
  ReadGauge(MetricInfo info, std::function<double()> read) : info_(std::move(info)), read_(std::move(read)) {}
  void Write(ExpositionWriter& out) const override {
    out.Metric(info_.name, info_.help, "gauge");
    out.Sample(info_.name, "", {}, {}, NumberText(read_()));
  }

 private:
  const MetricInfo info_;
  const std::function<double()> read_;
};

}  // namespace pagewire::admin
