// Resolves host names by DNS.
#pragma once

#include <pagewire/resolver.h>

#include <absl/time/time.h>

#include <memory>

#include "client/dns_lookup.h"
#include "transport/address.h"
#include "transport/epoll_loop.h"

namespace pagewire::client {

struct DnsResolverOptions {
  DnsLookupOptions lookup;

  // gRPC's: between the beginnings of two lookups, unless one failed; then from the first delay to the longest.
  absl::Duration min_interval = absl::Seconds(30);
  absl::Duration initial_backoff = absl::Seconds(1);
  absl::Duration max_backoff = absl::Seconds(120);
};

// Follows a target that is a name: target.host and target.port. Looks it up at once, after each failure by itself, and
// on Refresh. Errors: UNAVAILABLE with the name, the target and what was the matter.
//
// It runs on `loop`, which outlives it, and where it reads files: not a loop with connections.
class DnsResolver final : public Resolver {
 public:
  DnsResolver(transport::EpollLoop& loop, const transport::Target& target, const DnsResolverOptions& options,
              ResolutionCallback callback);
  ~DnsResolver() override;

  void Refresh() override;

 private:
  class OnLoop;

  transport::EpollLoop& loop_;
  std::shared_ptr<OnLoop> on_loop_;  // its last owner must be the loop
};

// The same with what production uses: one loop for all names of the process.
std::unique_ptr<Resolver> MakeDnsResolver(const transport::Target& target, ResolutionCallback callback);

}  // namespace pagewire::client
