// Which resolver follows a target.
#pragma once

#include <pagewire/resolver.h>

#include <memory>
#include <string_view>

namespace pagewire::client {

// The factory that RegisterResolver was given for `scheme`; null when there is none. Thread-safe.
std::shared_ptr<const ResolverFactory> FindResolver(std::string_view scheme);

}  // namespace pagewire::client
