#include "harness/tally.h"

#include <gtest/gtest.h>

#include <chrono>

namespace pagewire::bench {
namespace {

TEST(Latencies, AreWithinHalfAPercent) {
  for (const uint64_t ns : {1, 255, 256, 257, 6'200, 1'000'003, 987'654'321}) {
    Latencies latencies;
    latencies.Add(ns);
    EXPECT_NEAR(latencies.Microseconds(0.5) * 1e3, static_cast<double>(ns), static_cast<double>(ns) / 200) << ns;
  }
}

TEST(Latencies, AreRankedAcrossBuckets) {
  Latencies latencies;
  for (int i = 0; i < 990; ++i) latencies.Add(1'000);
  for (int i = 0; i < 10; ++i) latencies.Add(1'000'000);
  EXPECT_NEAR(latencies.Microseconds(0.5), 1, 0.01);
  EXPECT_NEAR(latencies.Microseconds(0.98), 1, 0.01);
  EXPECT_NEAR(latencies.Microseconds(0.99), 1000, 5);
  EXPECT_NEAR(latencies.Microseconds(0.999), 1000, 5);
}

TEST(Latencies, LongerThanAllBucketsIsInTheLast) {
  Latencies latencies;
  latencies.Add(UINT64_MAX);
  EXPECT_GT(latencies.Microseconds(0.5), 1e9);
}

TEST(Tally, ForgetsWhatWasBeforeTheRestart) {
  Tally tally;
  Recorder& first = tally.Add();
  Recorder& second = tally.Add();
  const Recorder::Time long_ago = Recorder::Now() - std::chrono::seconds(10);
  first.Ended(long_ago, 100);
  second.Ended(long_ago, 100);
  EXPECT_EQ(tally.calls(), 2);
  EXPECT_EQ(tally.bytes(), 200);
  tally.Restart();
  EXPECT_EQ(tally.calls(), 0);
  EXPECT_EQ(tally.LatencyFields("x_"), ", \"x_p50_us\": 0.000, \"x_p99_us\": 0.000, \"x_p999_us\": 0.000");
  first.Ended(Recorder::Now() - std::chrono::milliseconds(1), 7);
  EXPECT_EQ(tally.calls(), 1);
  EXPECT_EQ(tally.bytes(), 7);
  // Neither what the first caller had before, nor what the second did not do since, is among them.
  EXPECT_EQ(tally.LatencyFields("").find("10000"), std::string::npos) << tally.LatencyFields("");
  tally.Restart();
  EXPECT_EQ(tally.calls(), 0);
}

TEST(Tally, RemembersAFailure) {
  Tally tally;
  Recorder& recorder = tally.Add();
  EXPECT_FALSE(tally.failed());
  recorder.Failed("as meant by the test");
  EXPECT_TRUE(tally.failed());
}

}  // namespace
}  // namespace pagewire::bench
