// How a target's name becomes addresses: what a channel asks, and how a program brings a way of its own.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pagewire {

// What a name stands for at one moment.
struct Resolution {
  // "ipv4:1.2.3.4:5", "ipv6:[::1]:5", "unix:/path"; in the order in which they should be tried.
  std::vector<std::string> addresses;

  // How calls should be made, as JSON in gRPC's schema; nullopt when the source of the names does not say.
  std::optional<std::string> service_config;

  friend bool operator==(const Resolution&, const Resolution&) = default;
};

// Runs on any thread, one at a time: with the first answer, and again whenever the answer is another one. An error does
// not take back what was said before: the last addresses remain the best that is known. Must not block, and must not
// destroy the resolver.
using ResolutionCallback = std::function<void(absl::StatusOr<Resolution>)>;

// Follows one target from its construction on, until it is destroyed. Thread-safe, except for its destruction.
class Resolver {
 public:
  virtual ~Resolver() = default;  // waits for a callback that is running; none begins afterwards
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // A hint that an address failed: look again soon. Does not block. Resolvers limit how often they look, so it may be
  // called for each failure; those that are told of changes may ignore it.
  virtual void Refresh() = 0;

 protected:
  Resolver() = default;
};

// `target` is the whole text, with its scheme: "etcd:///service". Returns INVALID_ARGUMENT, with what was expected, for
// a target that no later attempt could resolve. Must be thread-safe and must not block: errors that may pass go to
// `callback`, which never runs inside the factory.
using ResolverFactory =
    std::function<absl::StatusOr<std::unique_ptr<Resolver>>(std::string_view target, ResolutionCallback callback)>;

// From now on, channels of this process that are made with a target that begins with `scheme` and a colon resolve it
// by `factory`. A scheme has lower-case letters, digits, '+', '-' and '.', and begins with a letter. INVALID_ARGUMENT
// for another scheme and for an empty factory; ALREADY_EXISTS when the scheme is registered, or one of "dns", "ipv4",
// "ipv6" and "unix". Nothing can be taken back. Thread-safe.
absl::Status RegisterResolver(std::string_view scheme, ResolverFactory factory);

}  // namespace pagewire
