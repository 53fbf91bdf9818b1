// Follows the servers of one service.
#pragma once

#include <pagewire/resolver.h>

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>

#include "etcd/curl_loop.h"
#include "etcd/endpoints.h"

namespace pagewire::etcd {

// The service of "etcd:///service" or "etcd:service". INVALID_ARGUMENT says what was expected.
absl::StatusOr<std::string> ParseEtcdTarget(std::string_view target);

// Reads the service's entries and watches them from there; when the watch breaks, with backoff again. What it knew
// stays said meanwhile. Errors, all UNAVAILABLE: nothing is known yet and etcd does not answer; the service has no
// server.
class EtcdResolver final : public Resolver {
 public:
  EtcdResolver(std::shared_ptr<CurlLoop> loop, const EtcdOptions& options, const std::string& service,
               ResolutionCallback callback);
  ~EtcdResolver() override;

  // Nothing: etcd says by itself what changes.
  void Refresh() override {}

 private:
  class OnLoop;

  const std::shared_ptr<CurlLoop> loop_;
  std::shared_ptr<OnLoop> on_loop_;  // its last owner must be the loop
};

}  // namespace pagewire::etcd
