#include "client/dns_resolver.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/die.h"
#include "base/status.h"
#include "client/backoff.h"
#include "client/lookup_schedule.h"
#include "client/resolution_gate.h"

namespace pagewire::client {
namespace {

using transport::EpollLoop;
using transport::SocketAddress;

// Never stopped: resolvers may be destroyed as late as in static destructors.
EpollLoop& NameLoop() {
  static EpollLoop& loop = *[] {
    auto created = EpollLoop::Create();
    if (!created.ok()) base::Die(created.status().ToString());
    return created->release();
  }();
  return loop;
}

Resolution ToResolution(const std::vector<SocketAddress>& addresses) {
  Resolution resolution;
  for (const SocketAddress& address : addresses) {
    std::string text = address.ToString();
    const auto known = std::find(resolution.addresses.begin(), resolution.addresses.end(), text);
    if (known == resolution.addresses.end()) resolution.addresses.push_back(std::move(text));
  }
  return resolution;
}

}  // namespace

class DnsResolver::OnLoop {
 public:
  OnLoop(EpollLoop& loop, const transport::Target& target, const DnsResolverOptions& options,
         ResolutionCallback callback)
      : loop_(loop),
        target_(target),
        options_(options),
        gate_(std::move(callback)),
        schedule_(loop, options.min_interval, Backoff(options.initial_backoff, options.max_backoff, RandomFractions()),
                  [this] { Look(); }) {}

  ResolutionGate& gate() { return gate_; }
  void Refresh() { schedule_.Refresh(); }

 private:
  void Look() {
    lookup_.emplace(loop_, target_.host, target_.port, options_.lookup,
                    [this](absl::StatusOr<std::vector<SocketAddress>> found) { OnFound(std::move(found)); });
  }

  void OnFound(absl::StatusOr<std::vector<SocketAddress>> found) {
    lookup_.reset();
    schedule_.Ended(found.ok());
    if (found.ok()) return gate_.Tell(ToResolution(*found));
    gate_.Tell(base::Annotate(found.status(), absl::StrCat("cannot look up \"", target_.host, "\" of ", target_.text)));
  }

  EpollLoop& loop_;
  const transport::Target target_;
  const DnsResolverOptions options_;
  ResolutionGate gate_;
  LookupSchedule schedule_;
  std::optional<DnsLookup> lookup_;
};

DnsResolver::DnsResolver(EpollLoop& loop, const transport::Target& target, const DnsResolverOptions& options,
                         ResolutionCallback callback)
    : loop_(loop), on_loop_(std::make_shared<OnLoop>(loop, target, options, std::move(callback))) {
  Refresh();
}

DnsResolver::~DnsResolver() {
  on_loop_->gate().Close();
  loop_.Post([on_loop = std::move(on_loop_)]() mutable { on_loop.reset(); });
}

void DnsResolver::Refresh() {
  loop_.Post([on_loop = on_loop_] { on_loop->Refresh(); });
}

std::unique_ptr<Resolver> MakeDnsResolver(const transport::Target& target, ResolutionCallback callback) {
  return std::make_unique<DnsResolver>(NameLoop(), target, DnsResolverOptions(), std::move(callback));
}

}  // namespace pagewire::client
