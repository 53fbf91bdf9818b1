// Makes metrics whose names begin alike and whose first label is the method.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <pagewire/metrics_registry.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/string_view.h"

namespace pagewire::admin {

// Methods that are told apart: see MakeClientMetrics.
inline constexpr size_t kMaxMethods = 1000;

// Keeps the first thing that went wrong; what it gives from then on may be null, and must not be used.
class FamilyMaker {
 public:
  // `registry` and `prefix` outlive this.
  FamilyMaker(MetricsRegistry& registry, std::string_view prefix) : registry_(registry), prefix_(prefix) {}

  // `labels` follow the method.
  CounterFamily* Counters(std::string_view name, std::string_view help, std::vector<std::string> labels = {}) {
    return Keep(registry_.Counters(Info(name, help, std::move(labels))));
  }
  GaugeFamily* Gauges(std::string_view name, std::string_view help) {
    return Keep(registry_.Gauges(Info(name, help, {})));
  }
  HistogramFamily* Histograms(std::string_view name, std::string_view help, std::vector<std::string> labels,
                              const std::vector<double>& bounds) {
    return Keep(registry_.Histograms(Info(name, help, std::move(labels)), bounds));
  }

  const absl::Status& status() const { return status_; }

 private:
  // What follows the method is a status code, a reason or paths, of which there are fewer.
  static constexpr size_t kMostPerMethod = 20;

  MetricInfo Info(std::string_view name, std::string_view help, std::vector<std::string> labels) const {
    labels.insert(labels.begin(), "method");
    return {.name = absl::StrCat(base::ToAbsl(prefix_), base::ToAbsl(name)),
            .help = std::string(help),
            .labels = std::move(labels),
            .max_series = (kMaxMethods + 1) * kMostPerMethod};
  }

  template <typename Family>
  Family* Keep(absl::StatusOr<Family*> family) {
    if (family.ok()) return *family;
    if (status_.ok()) status_ = std::move(family).status();
    return nullptr;
  }

  MetricsRegistry& registry_;
  const std::string_view prefix_;
  absl::Status status_;
};

}  // namespace pagewire::admin
