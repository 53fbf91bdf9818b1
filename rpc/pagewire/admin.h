// A small HTTP server that shows how the process fares: metrics for Prometheus, health for load balancers. Link
// pagewire::admin.
#pragma once

#include <pagewire/metrics_registry.h>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>

namespace pagewire {

struct AdminServerOptions {
  // Where to listen: "host:port" or "[::1]:port"; port 0 takes a free one. Whoever reaches it may read: there is no TLS
  // and nobody is asked who they are. An address that others reach than this host is logged as a warning.
  std::string address = "127.0.0.1:0";

  // What /metrics shows; null: nothing, and it answers 404.
  std::shared_ptr<MetricsRegistry> metrics = nullptr;

  // What /healthz says: OK is 200 with "ok", everything else 503 with the status. Any thread, also several at once;
  // must not block. Null: always OK.
  std::function<absl::Status()> health = nullptr;
};

// Serves GET and HEAD of
//   /metrics  MetricsRegistry::PrometheusText
//   /healthz  AdminServerOptions::health
// with HTTP/1.1, one request per connection, on four threads of its own, so that it answers when all others are busy. A
// request may have 16 KiB and takes at most ten seconds, the way of its answer included; what is more is cut off.
//
// All functions may be called from any thread.
class AdminServer {
 public:
  // INVALID_ARGUMENT: an address that cannot be parsed, or not of TCP; UNAVAILABLE, PERMISSION_DENIED,
  // RESOURCE_EXHAUSTED: it cannot be listened on, or there are no descriptors or threads.
  static absl::StatusOr<std::unique_ptr<AdminServer>> Start(AdminServerOptions options);

  // Closes the port and its connections, also those with a request that is being answered, and waits for its threads.
  // Not from `health` or a gauge of the registry.
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Where it listens, with the real port: "ipv4:127.0.0.1:9090".
  const std::string& address() const;
  int port() const;

 private:
  class Impl;
  explicit AdminServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace pagewire
