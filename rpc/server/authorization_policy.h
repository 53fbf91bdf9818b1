// Whether a call is allowed: rules, in the order in which pagewire/authorizer.h says that they are asked.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <pagewire/metadata.h>
#include <pagewire/peer_identity.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/principal_pattern.h"
#include "server/text_pattern.h"

namespace pagewire::server {

// What rules ask about.
struct CallFacts {
  std::string_view method;
  const PeerIdentity& peer;
  const Metadata& metadata;
};

struct HeaderRule {
  std::string key;
  std::vector<TextPattern> values;
  bool Matches(const Metadata& metadata) const;
};

// An empty list asks for nothing.
struct AuthorizationRule {
  std::string name;
  std::vector<PrincipalPattern> principals;
  std::vector<TextPattern> paths;
  std::vector<HeaderRule> headers;
  bool Matches(const CallFacts& call) const;
};

struct AuthorizationPolicy {
  std::string name;
  std::vector<AuthorizationRule> deny_rules;
  std::vector<AuthorizationRule> allow_rules;

  // INVALID_ARGUMENT: what is wrong, and where; values of headers are not shown.
  static absl::StatusOr<AuthorizationPolicy> Parse(std::string_view json);

  // OK, or PERMISSION_DENIED with the method, the rule and the client.
  absl::Status Check(const CallFacts& call) const;
};

}  // namespace pagewire::server
