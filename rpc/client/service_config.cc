#include "client/service_config.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <utility>

#include "base/string_view.h"
#include "pagewire/service_config.pb.h"

namespace pagewire::client {
namespace {

absl::Status Wrong(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("service config: ", what));
}

absl::Duration ToAbsl(const google::protobuf::Duration& duration) {
  return absl::Nanoseconds(google::protobuf::util::TimeUtil::DurationToNanoseconds(duration));
}

absl::StatusOr<RetryPolicy> ReadRetry(const v1::ServiceConfig::RetryPolicy& read, const std::string& where) {
  RetryPolicy policy;
  policy.max_attempts = read.max_attempts();
  policy.initial_backoff = ToAbsl(read.initial_backoff());
  policy.max_backoff = ToAbsl(read.max_backoff());
  policy.backoff_multiplier = read.backoff_multiplier();
  for (const int code : read.retryable_status_codes()) {
    if (code == v1::ServiceConfig::OK) return Wrong(absl::StrCat(where, ": OK in retryableStatusCodes is no failure"));
    policy.codes.push_back(static_cast<absl::StatusCode>(code));
  }
  if (policy.max_attempts < 2) {
    return Wrong(absl::StrCat(where, ": maxAttempts is ", policy.max_attempts, " and must be 2 or more"));
  }
  if (policy.initial_backoff <= absl::ZeroDuration() || policy.max_backoff <= absl::ZeroDuration()) {
    return Wrong(absl::StrCat(where, ": initialBackoff and maxBackoff must be above 0"));
  }
  if (!(policy.backoff_multiplier > 0)) {
    return Wrong(absl::StrCat(where, ": backoffMultiplier is ", policy.backoff_multiplier, " and must be above 0"));
  }
  if (policy.codes.empty()) return Wrong(absl::StrCat(where, ": retryableStatusCodes is empty"));
  return policy;
}

absl::StatusOr<MethodConfig> ReadMethod(const v1::ServiceConfig::Method& read, const std::string& where) {
  MethodConfig config;
  if (read.has_wait_for_ready()) config.wait_for_ready = read.wait_for_ready().value();
  if (read.has_timeout()) {
    config.timeout = ToAbsl(read.timeout());
    if (*config.timeout <= absl::ZeroDuration()) return Wrong(absl::StrCat(where, ": timeout must be above 0"));
  }
  if (read.has_retry_policy()) {
    absl::StatusOr<RetryPolicy> retry = ReadRetry(read.retry_policy(), absl::StrCat(where, ".retryPolicy"));
    if (!retry.ok()) return std::move(retry).status();
    config.retry = *std::move(retry);
  }
  return config;
}

// The key under which methods_ has it.
absl::StatusOr<std::string> KeyOf(const v1::ServiceConfig::Name& name, const std::string& where) {
  if (!name.service().empty()) return absl::StrCat("/", name.service(), "/", name.method());
  if (name.method().empty()) return std::string();
  return Wrong(absl::StrCat(where, ": the name has the method \"", name.method(), "\" without a service"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ServiceConfig>> ServiceConfig::Parse(std::string_view json) {
  v1::ServiceConfig read;
  const auto parsed = google::protobuf::util::JsonStringToMessage(std::string(json), &read);
  if (!parsed.ok()) {
    // It says where by pointing with a second line.
    return Wrong(absl::StrReplaceAll(std::string(parsed.message()), {{"\n", " "}}));
  }
  auto config = std::make_shared<ServiceConfig>();
  for (const auto& policy : read.load_balancing_config()) {
    if (policy.has_pick_first()) config->balancing_ = Balancing::kPickFirst;
    if (policy.has_round_robin()) config->balancing_ = Balancing::kRoundRobin;
    if (policy.has_least_loaded()) config->balancing_ = Balancing::kLeastLoaded;
    if (config->balancing_.has_value()) break;
  }
  for (int i = 0; i < read.method_config_size(); ++i) {
    const std::string where = absl::StrCat("methodConfig[", i, "]");
    absl::StatusOr<MethodConfig> method = ReadMethod(read.method_config(i), where);
    if (!method.ok()) return std::move(method).status();
    for (const auto& name : read.method_config(i).name()) {
      absl::StatusOr<std::string> key = KeyOf(name, where);
      if (!key.ok()) return std::move(key).status();
      if (!config->methods_.emplace(*key, *method).second) {
        return Wrong(absl::StrCat(where, ": \"", *key, "\" is configured twice"));
      }
    }
  }
  if (read.has_retry_throttling()) {
    const auto& throttling = read.retry_throttling();
    if (!(throttling.max_tokens() > 0 && throttling.max_tokens() <= 1000 && throttling.token_ratio() > 0)) {
      return Wrong(absl::StrCat("retryThrottling: maxTokens is ", throttling.max_tokens(), ", tokenRatio ",
                                throttling.token_ratio(), "; they must be above 0, and maxTokens at most 1000"));
    }
    config->throttle_ = std::make_shared<RetryThrottle>(throttling.max_tokens(), throttling.token_ratio());
  }
  return config;
}

const MethodConfig* ServiceConfig::Find(std::string_view method) const {
  if (methods_.empty()) return nullptr;
  const std::string_view service = method.substr(0, method.rfind('/') + 1);
  for (std::string_view key : {method, service, std::string_view()}) {
    if (const auto it = methods_.find(base::ToAbsl(key)); it != methods_.end()) return &it->second;
  }
  return nullptr;
}

}  // namespace pagewire::client
