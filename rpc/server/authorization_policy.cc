#include "server/authorization_policy.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "base/string_view.h"

namespace pagewire::server {

bool HeaderRule::Matches(const Metadata& metadata) const {
  const auto [first, last] = metadata.equal_range(key);
  if (first == last) return false;
  std::string value = first->second;
  for (auto next = std::next(first); next != last; ++next) absl::StrAppend(&value, ",", next->second);
  return std::any_of(values.begin(), values.end(), [&](const TextPattern& pattern) { return pattern.Matches(value); });
}

bool AuthorizationRule::Matches(const CallFacts& call) const {
  const auto any_of = [](const auto& patterns, const auto& fact) {
    return patterns.empty() ||
           std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return pattern.Matches(fact); });
  };
  return any_of(paths, call.method) && any_of(principals, call.peer) &&
         std::all_of(headers.begin(), headers.end(),
                     [&](const HeaderRule& header) { return header.Matches(call.metadata); });
}

absl::Status AuthorizationPolicy::Check(const CallFacts& call) const {
  for (const AuthorizationRule& rule : deny_rules) {
    if (!rule.Matches(call)) continue;
    return absl::PermissionDeniedError(absl::StrCat(base::ToAbsl(call.method), ": rule \"", rule.name,
                                                    "\" of the server's policy \"", name, "\" denies it to ",
                                                    DescribeClient(call.peer)));
  }
  for (const AuthorizationRule& rule : allow_rules) {
    if (rule.Matches(call)) return absl::OkStatus();
  }
  return absl::PermissionDeniedError(absl::StrCat(base::ToAbsl(call.method), ": no rule of the server's policy \"",
                                                  name, "\" allows it to ", DescribeClient(call.peer)));
}

}  // namespace pagewire::server
