#include "admin/exposition.h"

#include <absl/strings/str_cat.h>

#include <charconv>
#include <cmath>

#include "base/string_view.h"
#include "base/utf8.h"

namespace pagewire::admin {
namespace {

using base::ToAbsl;

// Doubles up to here have every integer; shortest texts would write round ones with an exponent.
constexpr double kExactIntegers = 1LL << 53;

// Line feeds would end the line, and quotes a label's value.
void AppendEscaped(std::string_view text, bool quoted, std::string& out) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quoted) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

}  // namespace

std::string NumberText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == std::trunc(value) && std::abs(value) <= kExactIntegers) {
    return std::to_string(static_cast<int64_t>(value));
  }
  char text[32];  // the longest is 24: "-2.2250738585072014e-308"
  return std::string(text, std::to_chars(text, text + sizeof(text), value).ptr);
}

void ExpositionWriter::Metric(std::string_view name, std::string_view help, std::string_view type) {
  absl::StrAppend(&text_, "# HELP ", ToAbsl(name), " ");
  AppendEscaped(help, /*quoted=*/false, text_);
  absl::StrAppend(&text_, "\n# TYPE ", ToAbsl(name), " ", ToAbsl(type), "\n");
}

void ExpositionWriter::Sample(std::string_view name, std::string_view suffix, absl::Span<const std::string> label_names,
                              absl::Span<const std::string> label_values, std::string_view number) {
  Line(name, suffix, label_names, label_values, "", number);
}

void ExpositionWriter::Bucket(std::string_view name, absl::Span<const std::string> label_names,
                              absl::Span<const std::string> label_values, std::string_view le, uint64_t count) {
  Line(name, "_bucket", label_names, label_values, le, std::to_string(count));
}

void ExpositionWriter::Line(std::string_view name, std::string_view suffix, absl::Span<const std::string> label_names,
                            absl::Span<const std::string> label_values, std::string_view le, std::string_view number) {
  absl::StrAppend(&text_, ToAbsl(name), ToAbsl(suffix));
  for (size_t i = 0; i < label_names.size(); ++i) Label(label_names[i], label_values[i], i == 0);
  if (!le.empty()) Label("le", le, label_names.empty());
  if (!label_names.empty() || !le.empty()) text_ += '}';
  absl::StrAppend(&text_, " ", ToAbsl(number), "\n");
}

void ExpositionWriter::Label(std::string_view name, std::string_view value, bool first) {
  absl::StrAppend(&text_, first ? "{" : ",", ToAbsl(name), "=\"");
  AppendEscaped(base::PrintableUtf8(value), /*quoted=*/true, text_);
  text_ += '"';
}

}  // namespace pagewire::admin
