// Servers found through etcd, version 3.4 or later: targets "etcd:///service", and servers that enter themselves. Link
// pagewire::etcd.
//
// A server's entry is the key /pagewire/services/<service>/<address> on a lease, so that it goes when the server dies.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pagewire {

// How to get to etcd. Requests go to etcd's JSON gateway, which listens on the port for clients, and never through a
// proxy.
struct EtcdOptions {
  // "http://host:port" or "https://host:port" of members of one cluster, used in turn when one fails.
  std::vector<std::string> endpoints = {"http://127.0.0.1:2379"};

  // For one request to one endpoint. Resolvers watch beyond it.
  absl::Duration timeout = absl::Seconds(5);

  // For https, files in PEM: whose certificates are trusted instead of the system's authorities, and the client's own,
  // for a cluster that asks for it. Empty for none.
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
};

// From now on channels of this process resolve targets "etcd:///service" to the service's servers, told by etcd of each
// that comes or goes. When etcd is away, the addresses that were known last stay in use. A service without servers is
// UNAVAILABLE. INVALID_ARGUMENT for options that cannot work; ALREADY_EXISTS when this was called before. Thread-safe.
absl::Status RegisterEtcdResolver(EtcdOptions options);

// One server's entry in etcd. Thread-safe.
class EtcdRegistration {
 public:
  // Enters the server at `address`, where clients reach it ("ipv4:10.0.0.1:7070", "10.0.0.1:7070", "ipv6:[...]:7070",
  // "unix:/path"), under `service`, which is not empty and has no '/' and no control characters. Returns when that is
  // done, so call it when the server is started.
  //
  // The entry is kept from then on: entered anew when it was lost, whatever etcd went through. Within `lease_ttl` after
  // the process died, rounded up to seconds and at least what etcd grants, it is gone. At least 2 s; longer ones spare
  // etcd work and survive longer outages.
  //
  // INVALID_ARGUMENT for arguments that cannot work, for names among them, and for 0.0.0.0; UNAVAILABLE when no
  // endpoint answers; what etcd said if it refused; RESOURCE_EXHAUSTED when the system has no thread left;
  // FAILED_PRECONDITION on one of the library's loop threads, as this blocks.
  static absl::StatusOr<std::unique_ptr<EtcdRegistration>> Register(EtcdOptions options, std::string_view service,
                                                                    std::string_view address, absl::Duration lease_ttl);

  // Deregisters. Not on the library's loop threads.
  ~EtcdRegistration();
  EtcdRegistration(const EtcdRegistration&) = delete;
  EtcdRegistration& operator=(const EtcdRegistration&) = delete;

  // Takes the entry away, so that no new calls come: before the server shuts down. Blocks until etcd has answered. When
  // this fails, with UNAVAILABLE or what etcd said, the entry goes with its lease. Again: the same result.
  // FAILED_PRECONDITION on one of the library's loop threads.
  absl::Status Deregister();

 private:
  class Impl;
  explicit EtcdRegistration(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace pagewire
