// What metrics count, and their text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/log.h>
#include <pagewire/metrics_registry.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "admin/exposition.h"
#include "admin/log_lines.h"

namespace pagewire {
namespace {

using ::testing::ElementsAre;

TEST(MetricsRegistryTest, NothingIsNoText) {
  MetricsRegistry registry;
  EXPECT_EQ(registry.PrometheusText(), "");
  ASSERT_TRUE(registry.Counters({.name = "unused_total", .help = "Nobody counts."}).ok());
  EXPECT_EQ(registry.PrometheusText(), "") << "no series yet";
}

TEST(MetricsRegistryTest, CountersByLabels) {
  MetricsRegistry registry;
  CounterFamily* const family = *registry.Counters({.name = "b_total", .help = "Things.", .labels = {"x", "y"}});
  family->With({"2", "b"}).Add(7);
  family->With({"1", "z"}).Add();
  family->With({"2", "a"}).Add(std::numeric_limits<uint64_t>::max());
  family->With({"1", "z"}).Add(41);
  (*registry.Counters({.name = "a_total", .help = "Without labels."}))->With({}).Add(3);
  EXPECT_EQ(registry.PrometheusText(),
            "# HELP a_total Without labels.\n"
            "# TYPE a_total counter\n"
            "a_total 3\n"
            "# HELP b_total Things.\n"
            "# TYPE b_total counter\n"
            "b_total{x=\"1\",y=\"z\"} 42\n"
            "b_total{x=\"2\",y=\"a\"} 18446744073709551615\n"
            "b_total{x=\"2\",y=\"b\"} 7\n");
}

TEST(MetricsRegistryTest, MissingAndSurplusValues) {
  MetricsRegistry registry;
  CounterFamily* const family = *registry.Counters({.name = "a", .help = "", .labels = {"x", "y"}});
  family->With({"1"}).Add();
  family->With({"1", "", "3"}).Add();
  EXPECT_EQ(registry.PrometheusText(), "# HELP a \n# TYPE a counter\na{x=\"1\",y=\"\"} 2\n");
}

TEST(MetricsRegistryTest, Gauges) {
  MetricsRegistry registry;
  Gauge& gauge = (*registry.Gauges({.name = "level", .help = "How high."}))->With({});
  gauge.Set(5);
  gauge.Add(-7);
  double temperature = 0.1;
  ASSERT_EQ(registry.AddGauge("temperature", "How warm.", [&] { return temperature; }), absl::OkStatus());
  EXPECT_EQ(registry.PrometheusText(),
            "# HELP level How high.\n# TYPE level gauge\nlevel -2\n"
            "# HELP temperature How warm.\n# TYPE temperature gauge\ntemperature 0.1\n");
  temperature = -40;
  EXPECT_THAT(registry.PrometheusText(), ::testing::HasSubstr("\ntemperature -40\n"));
}

TEST(MetricsRegistryTest, HistogramsCountUpToAndWithTheBound) {
  MetricsRegistry registry;
  HistogramFamily* const family =
      *registry.Histograms({.name = "seconds", .help = "How long.", .labels = {"m"}}, {0.5, 1, 2.5});
  Histogram& histogram = family->With({"x"});
  for (const double value : {0.25, 0.5, 0.75, 1.0, 2.5, 3.0, -1.0}) histogram.Observe(value);
  histogram.Observe(std::nan(""));
  EXPECT_THAT(histogram.counts(), ElementsAre(3, 2, 1, 1));
  EXPECT_EQ(registry.PrometheusText(),
            "# HELP seconds How long.\n"
            "# TYPE seconds histogram\n"
            "seconds_bucket{m=\"x\",le=\"0.5\"} 3\n"
            "seconds_bucket{m=\"x\",le=\"1\"} 5\n"
            "seconds_bucket{m=\"x\",le=\"2.5\"} 6\n"
            "seconds_bucket{m=\"x\",le=\"+Inf\"} 7\n"
            "seconds_sum{m=\"x\"} 7\n"
            "seconds_count{m=\"x\"} 7\n");
}

TEST(MetricsRegistryTest, AHistogramWithoutLabels) {
  MetricsRegistry registry;
  (*registry.Histograms({.name = "s", .help = "S."}, {1}))->With({}).Observe(std::numeric_limits<double>::infinity());
  EXPECT_EQ(registry.PrometheusText(),
            "# HELP s S.\n# TYPE s histogram\ns_bucket{le=\"1\"} 0\ns_bucket{le=\"+Inf\"} 1\ns_sum +Inf\ns_count 1\n");
}

TEST(MetricsRegistryTest, WhatWouldEndALineOrAValueIsEscaped) {
  MetricsRegistry registry;
  CounterFamily* const family =
      *registry.Counters({.name = "a", .help = "back\\slash, \"quote\"\nline", .labels = {"x"}});
  family->With({"back\\slash, \"quote\"\nline"}).Add();
  EXPECT_EQ(registry.PrometheusText(),
            "# HELP a back\\\\slash, \"quote\"\\nline\n"
            "# TYPE a counter\n"
            "a{x=\"back\\\\slash, \\\"quote\\\"\\nline\"} 1\n");
}

TEST(MetricsRegistryTest, WhatPrometheusWouldRefuseIsReplaced) {
  MetricsRegistry registry;
  CounterFamily* const family = *registry.Counters({.name = "a", .help = "A.", .labels = {"x"}});
  family->With({std::string_view("nul\0, \xff, \xc3\xa4", 11)}).Add();
  EXPECT_EQ(registry.PrometheusText(), "# HELP a A.\n# TYPE a counter\na{x=\"nul?, ?, \xc3\xa4\"} 1\n");
}

TEST(MetricsRegistryTest, TheSameFamilyForTheSameQuestion) {
  MetricsRegistry registry;
  const MetricInfo info = {.name = "a", .help = "A.", .labels = {"x"}};
  EXPECT_EQ(*registry.Counters(info), *registry.Counters(info));
  MetricInfo histogram = {.name = "h", .help = "H."};
  EXPECT_EQ(*registry.Histograms(histogram, {1, 2}), *registry.Histograms(histogram, {1, 2}));
}

TEST(MetricsRegistryTest, ATakenName) {
  MetricsRegistry registry;
  ASSERT_TRUE(registry.Counters({.name = "a", .help = "A.", .labels = {"x"}}).ok());
  ASSERT_TRUE(registry.Histograms({.name = "h", .help = "H."}, {1}).ok());
  ASSERT_TRUE(registry.AddGauge("g", "G.", [] { return 0; }).ok());
  const auto taken = [](const std::string& name) {
    return absl::AlreadyExistsError("metric \"" + name +
                                    "\": the registry has one of this name that is of another kind, or has other "
                                    "labels or bounds");
  };
  EXPECT_EQ(registry.Counters({.name = "a", .help = "A."}).status(), taken("a"));
  EXPECT_EQ(registry.Gauges({.name = "a", .help = "A.", .labels = {"x"}}).status(), taken("a"));
  EXPECT_EQ(registry.Histograms({.name = "h", .help = "H."}, {2}).status(), taken("h"));
  EXPECT_EQ(registry.AddGauge("g", "G.", [] { return 0; }), taken("g"));
  EXPECT_EQ(registry.AddGauge("a", "A.", [] { return 0; }), taken("a"));
  EXPECT_EQ(registry.Gauges({.name = "g", .help = "G."}).status(), taken("g"));
}

TEST(MetricsRegistryTest, NamesThatAreNotAllowed) {
  MetricsRegistry registry;
  for (const char* name : {"", "1a", "a-b", "a b", "a{", "\xc3\xa4"}) {
    const absl::Status status = registry.Counters({.name = name, .help = ""}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(registry.Counters({.name = "a\n", .help = ""}).status(),
            absl::InvalidArgumentError("metric \"a\\n\": its name must have the form [a-zA-Z_:][a-zA-Z0-9_:]*"));
  for (const char* label : {"", "1a", "a:b", "__a"}) {
    EXPECT_EQ(registry.Gauges({.name = "a", .help = "", .labels = {label}}).status(),
              absl::InvalidArgumentError("metric \"a\": its label \"" + std::string(label) +
                                         "\" must have the form [a-zA-Z_][a-zA-Z0-9_]* and not begin with \"__\""));
  }
  EXPECT_EQ(registry.Gauges({.name = "a", .help = "", .labels = {"x", "y", "x"}}).status(),
            absl::InvalidArgumentError("metric \"a\": it has the label \"x\" twice"));
  EXPECT_EQ(registry.AddGauge("a", "", nullptr),
            absl::InvalidArgumentError("metric \"a\": there is no function to read it"));
  EXPECT_EQ(registry.PrometheusText(), "");
}

TEST(MetricsRegistryTest, BoundsThatAreNotAllowed) {
  MetricsRegistry registry;
  const MetricInfo info = {.name = "h", .help = ""};
  const auto bad = absl::InvalidArgumentError("metric \"h\": its bounds must be finite and ascend");
  EXPECT_EQ(registry.Histograms(info, {1, 1}).status(), bad);
  EXPECT_EQ(registry.Histograms(info, {2, 1}).status(), bad);
  EXPECT_EQ(registry.Histograms(info, {1, std::nan("")}).status(), bad);
  EXPECT_EQ(registry.Histograms(info, {std::nan("")}).status(), bad);
  EXPECT_EQ(registry.Histograms(info, {1, std::numeric_limits<double>::infinity()}).status(), bad);
  EXPECT_EQ(registry.Histograms(info, {}).status(),
            absl::InvalidArgumentError("metric \"h\": it has 0 bounds and must have 1 to 100"));
  EXPECT_EQ(registry.Histograms(info, std::vector<double>(101)).status(),
            absl::InvalidArgumentError("metric \"h\": it has 101 bounds and must have 1 to 100"));
  EXPECT_EQ(registry.Histograms({.name = "h", .help = "", .labels = {"le"}}, {1}).status(),
            absl::InvalidArgumentError("metric \"h\": a histogram's label cannot be called \"le\", which names its "
                                       "ranges"));
}

TEST(MetricsRegistryTest, BeyondTheLimitSeriesAreShared) {
  const testing::LogLines log;
  MetricsRegistry registry;
  CounterFamily* const family = *registry.Counters({.name = "a", .help = "A.", .labels = {"x", "y"}, .max_series = 2});
  family->With({"1", "a"}).Add();
  family->With({"2", "b"}).Add();
  for (const char* value : {"3", "4", "5"}) family->With({value, "c"}).Add();
  family->With({"1", "a"}).Add();
  EXPECT_EQ(registry.PrometheusText(),
            "# HELP a A.\n# TYPE a counter\n"
            "a{x=\"1\",y=\"a\"} 2\na{x=\"2\",y=\"b\"} 1\na{x=\"other\",y=\"other\"} 3\n");
  EXPECT_THAT(log.Lines(),
              ElementsAre("warning: metric a has 2 series, its limit; further label values count as \"other\""));
}

TEST(MetricsRegistryTest, ManyThreadsCountWhileOthersRead) {
  MetricsRegistry registry;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&registry, thread] {
        const std::string label = std::to_string(thread % 2);
        for (int i = 0; i < 1000; ++i) {
          (*registry.Counters({.name = "a", .help = "A.", .labels = {"x"}}))->With({label}).Add();
          (*registry.Histograms({.name = "h", .help = "H."}, {1}))->With({}).Observe(i % 2);
          if (i % 100 == 0) registry.PrometheusText();
        }
      });
    }
  }
  EXPECT_EQ(registry.PrometheusText(),
            "# HELP a A.\n# TYPE a counter\na{x=\"0\"} 2000\na{x=\"1\"} 2000\n"
            "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 4000\nh_bucket{le=\"+Inf\"} 4000\nh_sum 2000\n"
            "h_count 4000\n");
}

TEST(NumberTextTest, ReadsBack) {
  EXPECT_EQ(admin::NumberText(0), "0");
  EXPECT_EQ(admin::NumberText(-100'000), "-100000");
  EXPECT_EQ(admin::NumberText(9007199254740992), "9007199254740992");
  EXPECT_EQ(admin::NumberText(1.5e16), "1.5e+16");
  EXPECT_EQ(admin::NumberText(0.1), "0.1");
  EXPECT_EQ(admin::NumberText(1.0 / 3), "0.3333333333333333");
  EXPECT_EQ(admin::NumberText(1e30), "1e+30");
  EXPECT_EQ(admin::NumberText(-std::numeric_limits<double>::min()), "-2.2250738585072014e-308");
  EXPECT_EQ(admin::NumberText(-HUGE_VAL), "-Inf");
  EXPECT_EQ(admin::NumberText(std::nan("")), "NaN");
}

}  // namespace
}  // namespace pagewire
