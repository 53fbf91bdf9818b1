#include "client/service_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pagewire::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::shared_ptr<const ServiceConfig> Parsed(std::string_view json) {
  const auto config = ServiceConfig::Parse(json);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.ok() ? *config : std::make_shared<const ServiceConfig>();
}

TEST(ServiceConfig, SaysNothingIfThereIsNothing) {
  const auto config = Parsed("{}");
  EXPECT_EQ(config->balancing(), std::nullopt);
  EXPECT_EQ(config->Find("/a.B/C"), nullptr);
  EXPECT_EQ(config->throttle(), nullptr);
}

TEST(ServiceConfig, TheFirstBalancerCounts) {
  EXPECT_EQ(Parsed(R"({"loadBalancingConfig": [{"round_robin": {}}, {"pick_first": {}}]})")->balancing(),
            Balancing::kRoundRobin);
  EXPECT_EQ(Parsed(R"({"loadBalancingConfig": [{"least_loaded": {}}]})")->balancing(), Balancing::kLeastLoaded);
}

TEST(ServiceConfig, TheMostSpecialNameCounts) {
  const auto config = Parsed(R"({"methodConfig": [
      {"name": [{}], "timeout": "3s"},
      {"name": [{"service": "a.B"}], "timeout": "2s", "waitForReady": true},
      {"name": [{"service": "a.B", "method": "C"}, {"service": "x.Y", "method": "Z"}], "timeout": "1.5s"}]})");
  EXPECT_EQ(config->Find("/a.B/C")->timeout, absl::Milliseconds(1500));
  EXPECT_EQ(config->Find("/a.B/C")->wait_for_ready, std::nullopt) << "they are not merged";
  EXPECT_EQ(config->Find("/x.Y/Z")->timeout, absl::Milliseconds(1500));
  EXPECT_EQ(config->Find("/a.B/D")->timeout, absl::Seconds(2));
  EXPECT_EQ(config->Find("/a.B/D")->wait_for_ready, true);
  EXPECT_EQ(config->Find("/a.BB/C")->timeout, absl::Seconds(3));
}

TEST(ServiceConfig, GrpcsExampleOfRetries) {
  const auto config = Parsed(R"({
    "methodConfig": [{
      "name": [{"service": "echo.Echo"}],
      "retryPolicy": {
        "maxAttempts": 4,
        "initialBackoff": "0.1s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE", 10]
      }
    }],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
  })");
  const RetryPolicy& retry = *config->Find("/echo.Echo/Say")->retry;
  EXPECT_EQ(retry.max_attempts, 4u);
  EXPECT_EQ(retry.initial_backoff, absl::Milliseconds(100));
  EXPECT_EQ(retry.max_backoff, absl::Seconds(1));
  EXPECT_EQ(retry.backoff_multiplier, 2);
  EXPECT_THAT(retry.codes, ElementsAre(absl::StatusCode::kUnavailable, absl::StatusCode::kAborted));
  EXPECT_NE(config->throttle(), nullptr);
}

TEST(ServiceConfig, MistakesAreNamed) {
  const auto method = [](const std::string& rest) {
    return R"({"methodConfig": [{"name": [{"service": "s"}], )" + rest + "}]}";
  };
  const auto retry = [&](const std::string& attempts, const std::string& first, const std::string& longest,
                         const std::string& factor, const std::string& codes) {
    return method(R"("retryPolicy": {"maxAttempts": )" + attempts + R"(, "initialBackoff": ")" + first +
                  R"(", "maxBackoff": ")" + longest + R"(", "backoffMultiplier": )" + factor +
                  R"(, "retryableStatusCodes": )" + codes + "}");
  };
  const std::pair<std::string, std::string> cases[] = {
      {"", "service config: "},
      {"[]", "service config: "},
      {R"({"hedgingPolicy": {}})", "hedgingPolicy"},
      {R"({"loadBalancingConfig": [{"grpclb": {}}]})", "grpclb"},
      {R"({"methodConfig": [{"name": [{"method": "m"}]}]})", "the name has the method \"m\" without a service"},
      {R"({"methodConfig": [{"name": [{"service": "s"}, {"service": "s"}]}]})", "\"/s/\" is configured twice"},
      {method(R"("timeout": "0s")"), "methodConfig[0]: timeout must be above 0"},
      {method(R"("timeout": "soon")"), "method_config[0].timeout"},
      {retry("1", "1s", "1s", "2", R"(["ABORTED"])"), "methodConfig[0].retryPolicy: maxAttempts is 1"},
      {retry("2", "0s", "1s", "2", R"(["ABORTED"])"), "initialBackoff and maxBackoff must be above 0"},
      {retry("2", "1s", "1s", "0", R"(["ABORTED"])"), "backoffMultiplier is 0 and must be above 0"},
      {retry("2", "1s", "1s", "2", "[]"), "retryableStatusCodes is empty"},
      {retry("2", "1s", "1s", "2", R"(["OK"])"), "OK in retryableStatusCodes is no failure"},
      {retry("2", "1s", "1s", "2", R"(["NO_SUCH"])"), "NO_SUCH"},
      {R"({"retryThrottling": {"maxTokens": 0, "tokenRatio": 0.1}})", "maxTokens is 0, tokenRatio 0.1"},
      {R"({"retryThrottling": {"maxTokens": 1001, "tokenRatio": 0.1}})", "maxTokens is 1001"},
  };
  for (const auto& [json, text] : cases) {
    const absl::Status status = ServiceConfig::Parse(json).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(std::string(status.message()), HasSubstr(text)) << json;
  }
}

}  // namespace
}  // namespace pagewire::client
