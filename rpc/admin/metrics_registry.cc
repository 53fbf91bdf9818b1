#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <pagewire/metrics_registry.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "admin/exposition.h"
#include "admin/metric_family.h"
#include "base/mutex.h"
#include "base/string_view.h"

namespace pagewire {
namespace admin {

void WriteSeries(const MetricInfo& info, const LabelValues& values, const Counter& counter, ExpositionWriter& out) {
  out.Sample(info.name, "", info.labels, values, std::to_string(counter.value()));
}

void WriteSeries(const MetricInfo& info, const LabelValues& values, const Gauge& gauge, ExpositionWriter& out) {
  out.Sample(info.name, "", info.labels, values, std::to_string(gauge.value()));
}

void WriteSeries(const MetricInfo& info, const LabelValues& values, const Histogram& histogram, ExpositionWriter& out) {
  const std::vector<uint64_t> counts = histogram.counts();
  uint64_t so_far = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    so_far += counts[i];
    const bool last = i == histogram.bounds().size();
    out.Bucket(info.name, info.labels, values, last ? "+Inf" : NumberText(histogram.bounds()[i]), so_far);
  }
  out.Sample(info.name, "_sum", info.labels, values, NumberText(histogram.sum()));
  out.Sample(info.name, "_count", info.labels, values, std::to_string(so_far));
}

namespace {

constexpr size_t kMaxBounds = 100;

bool IsName(std::string_view name, std::string_view also) {
  const auto allowed = [&](char c) { return absl::ascii_isalnum(c) || c == '_' || also.find(c) != also.npos; };
  return !name.empty() && !absl::ascii_isdigit(name[0]) && std::all_of(name.begin(), name.end(), allowed);
}

absl::Status Bad(const MetricInfo& info, std::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("metric \"", absl::CHexEscape(info.name), "\": ", base::ToAbsl(why)));
}

absl::Status CheckInfo(const MetricInfo& info) {
  if (!IsName(info.name, ":")) return Bad(info, "its name must have the form [a-zA-Z_:][a-zA-Z0-9_:]*");
  for (auto label = info.labels.begin(); label != info.labels.end(); ++label) {
    if (!IsName(*label, "") || label->substr(0, 2) == "__") {
      return Bad(info, absl::StrCat("its label \"", absl::CHexEscape(*label),
                                    "\" must have the form [a-zA-Z_][a-zA-Z0-9_]* and not begin with \"__\""));
    }
    if (std::find(info.labels.begin(), label, *label) != label) {
      return Bad(info, absl::StrCat("it has the label \"", *label, "\" twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckBounds(const MetricInfo& info, const std::vector<double>& bounds) {
  if (std::find(info.labels.begin(), info.labels.end(), "le") != info.labels.end()) {
    return Bad(info, "a histogram's label cannot be called \"le\", which names its ranges");
  }
  if (bounds.empty() || bounds.size() > kMaxBounds) {
    return Bad(info, absl::StrCat("it has ", bounds.size(), " bounds and must have 1 to ", kMaxBounds));
  }
  const auto not_above = [](double low, double high) { return !(low < high); };
  if (!std::all_of(bounds.begin(), bounds.end(), [](double bound) { return std::isfinite(bound); }) ||
      std::adjacent_find(bounds.begin(), bounds.end(), not_above) != bounds.end()) {
    return Bad(info, "its bounds must be finite and ascend");
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace admin

void Histogram::Observe(double value) {
  if (std::isnan(value)) return;
  counts_[std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin()].fetch_add(
      1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<uint64_t> Histogram::counts() const {
  std::vector<uint64_t> counts;
  for (const auto& count : counts_) counts.push_back(count.load(std::memory_order_relaxed));
  return counts;
}

struct MetricsRegistry::State {
  base::Mutex mutex;
  std::map<std::string, std::shared_ptr<admin::AnyFamily>, std::less<>> families ABSL_GUARDED_BY(mutex);

  template <typename Metric>
  absl::StatusOr<MetricFamily<Metric>*> Get(const MetricInfo& info, const std::vector<double>& bounds) {
    if (absl::Status status = admin::CheckInfo(info); !status.ok()) return status;
    base::MutexLock lock(mutex);
    std::shared_ptr<admin::AnyFamily>& place = families[info.name];
    if (place == nullptr) place = std::make_shared<admin::Family<Metric>>(info, bounds);
    const auto family = dynamic_cast<admin::Family<Metric>*>(place.get());
    if (family == nullptr || family->info().labels != info.labels || family->bounds() != bounds)
      return Taken(info.name);
    return family;
  }

  static absl::Status Taken(std::string_view name) {
    return absl::AlreadyExistsError(absl::StrCat("metric \"", base::ToAbsl(name),
                                                 "\": the registry has one of this name that is of another kind, or "
                                                 "has other labels or bounds"));
  }
};

MetricsRegistry::MetricsRegistry() : state_(std::make_unique<State>()) {}
MetricsRegistry::~MetricsRegistry() = default;

absl::StatusOr<CounterFamily*> MetricsRegistry::Counters(const MetricInfo& info) {
  return state_->Get<Counter>(info, {});
}

absl::StatusOr<GaugeFamily*> MetricsRegistry::Gauges(const MetricInfo& info) { return state_->Get<Gauge>(info, {}); }

absl::StatusOr<HistogramFamily*> MetricsRegistry::Histograms(const MetricInfo& info,
                                                             const std::vector<double>& bounds) {
  if (absl::Status status = admin::CheckBounds(info, bounds); !status.ok()) return status;
  return state_->Get<Histogram>(info, bounds);
}

absl::Status MetricsRegistry::AddGauge(std::string_view name, std::string_view help, std::function<double()> read) {
  MetricInfo info = {.name = std::string(name), .help = std::string(help)};
  if (absl::Status status = admin::CheckInfo(info); !status.ok()) return status;
  if (read == nullptr) return admin::Bad(info, "there is no function to read it");
  auto gauge = std::make_shared<admin::ReadGauge>(std::move(info), std::move(read));
  base::MutexLock lock(state_->mutex);
  const bool added = state_->families.emplace(name, std::move(gauge)).second;
  return added ? absl::OkStatus() : State::Taken(name);
}

std::string MetricsRegistry::PrometheusText() const {
  std::vector<std::shared_ptr<admin::AnyFamily>> families;
  {
    base::MutexLock lock(state_->mutex);
    for (const auto& named : state_->families) families.push_back(named.second);
  }
  admin::ExpositionWriter out;
  for (const auto& family : families) family->Write(out);
  return std::move(out).Take();
}

}  // namespace pagewire
