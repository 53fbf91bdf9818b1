#include "client/resolver_registry.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "base/string_view.h"

namespace pagewire {
namespace {

struct Registry {
  base::Mutex mutex;
  std::map<std::string, std::shared_ptr<const ResolverFactory>, std::less<>> factories ABSL_GUARDED_BY(mutex);
};

Registry& TheRegistry() {
  static auto* const registry = new Registry;  // never destroyed: channels may be made as late as in static destructors
  return *registry;
}

bool IsScheme(std::string_view scheme) {
  const auto allowed = [](char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '+' || c == '-' || c == '.';
  };
  return !scheme.empty() && absl::ascii_islower(scheme.front()) && std::all_of(scheme.begin(), scheme.end(), allowed);
}

}  // namespace

absl::Status RegisterResolver(std::string_view scheme, ResolverFactory factory) {
  if (!IsScheme(scheme)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", absl::CHexEscape(base::ToAbsl(scheme)),
        "\" is not a scheme: expected lower-case letters, digits, '+', '-' and '.', beginning with a letter"));
  }
  if (factory == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("the resolver factory for \"", base::ToAbsl(scheme), "\" is empty"));
  }
  if (scheme == "dns" || scheme == "ipv4" || scheme == "ipv6" || scheme == "unix") {
    return absl::AlreadyExistsError(
        absl::StrCat("targets with \"", base::ToAbsl(scheme), ":\" are resolved by Pagewire itself"));
  }
  auto shared = std::make_shared<const ResolverFactory>(std::move(factory));
  Registry& registry = TheRegistry();
  base::MutexLock lock(registry.mutex);
  if (registry.factories.emplace(scheme, std::move(shared)).second) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat("a resolver for targets with \"", base::ToAbsl(scheme), ":\" is registered already"));
}

namespace client {

std::shared_ptr<const ResolverFactory> FindResolver(std::string_view scheme) {
  Registry& registry = TheRegistry();
  base::MutexLock lock(registry.mutex);
  const auto it = registry.factories.find(scheme);
  return it == registry.factories.end() ? nullptr : it->second;
}

}  // namespace client
}  // namespace pagewire
