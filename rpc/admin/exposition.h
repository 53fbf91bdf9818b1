// Prometheus's text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <absl/types/span.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace pagewire::admin {

inline constexpr std::string_view kExpositionContentType = "text/plain; version=0.0.4; charset=utf-8";

// A text that reads back as `value`: "100000", "0.1", "1e+30", "+Inf", "-Inf", "NaN".
std::string NumberText(double value);

class ExpositionWriter {
 public:
  // Begins a metric. `type`: "counter", "gauge" or "histogram".
  void Metric(std::string_view name, std::string_view help, std::string_view type);

  // One line of it: `name` with `suffix`; as many values as names. `number` is written as it is.
  void Sample(std::string_view name, std::string_view suffix, absl::Span<const std::string> label_names,
              absl::Span<const std::string> label_values, std::string_view number);

  // The same with the label `le`, which stands last.
  void Bucket(std::string_view name, absl::Span<const std::string> label_names,
              absl::Span<const std::string> label_values, std::string_view le, uint64_t count);

  std::string Take() && { return std::move(text_); }

 private:
  void Line(std::string_view name, std::string_view suffix, absl::Span<const std::string> label_names,
            absl::Span<const std::string> label_values, std::string_view le, std::string_view number);
  void Label(std::string_view name, std::string_view value, bool first);

  std::string text_;
};

}  // namespace pagewire::admin
