// Tells clients and balancers whether a server serves: grpc.health.v1, Check and Watch. Link pagewire::health.
//
// It brings the descriptors of "grpc/health/v1/health.proto", which a program can have only once: do not link gRPC's
// own health service beside it.
#pragma once

#include <pagewire/service.h>

#include <memory>
#include <string_view>

namespace pagewire {

// Register service() with ServerBuilder, and say what serves; the server as a whole, "", does from the start. Must
// outlive the servers it is registered with. Thread-safe.
class HealthCheckService {
 public:
  HealthCheckService();
  ~HealthCheckService();
  HealthCheckService(const HealthCheckService&) = delete;
  HealthCheckService& operator=(const HealthCheckService&) = delete;

  // Owned by this object.
  Service* service();

  // What is said of a service (its name with its package, "" for the server as a whole) from now on. Watchers are told.
  // Ignored after Shutdown.
  void SetServingStatus(std::string_view service, bool serving);

  // The same for all services that were named before, and the server as a whole.
  void SetServingStatus(bool serving);

  // Nothing serves any more, whatever is said later: before a server drains.
  void Shutdown();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace pagewire
