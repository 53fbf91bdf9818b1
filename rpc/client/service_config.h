// How calls of a channel should be made: a service config, read and checked.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/retry.h"

namespace pagewire::client {

enum class Balancing {
  kPickFirst,    // all calls to the first address that answers
  kRoundRobin,   // each call to the next one
  kLeastLoaded,  // each call to the one that has the fewest bytes to do
};

struct MethodConfig {
  std::optional<bool> wait_for_ready;
  std::optional<absl::Duration> timeout;
  std::optional<RetryPolicy> retry;
};

class ServiceConfig {
 public:
  // One that says nothing.
  ServiceConfig() = default;

  // INVALID_ARGUMENT with what is wrong where: not JSON, a field that is not understood, a value out of range.
  static absl::StatusOr<std::shared_ptr<const ServiceConfig>> Parse(std::string_view json);

  std::optional<Balancing> balancing() const { return balancing_; }

  // For "/package.Service/Method": what is said of the method, else of its service, else of all. Null: nothing is.
  const MethodConfig* Find(std::string_view method) const;

  // Of all calls that are made by this config; null: retries are not limited.
  const std::shared_ptr<RetryThrottle>& throttle() const { return throttle_; }

 private:
  std::optional<Balancing> balancing_;
  absl::flat_hash_map<std::string, MethodConfig> methods_;  // by "/service/method", "/service/" and ""
  std::shared_ptr<RetryThrottle> throttle_;
};

}  // namespace pagewire::client
