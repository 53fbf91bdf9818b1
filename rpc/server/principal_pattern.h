// Who a policy means: clients by what they have proven to be.
#pragma once

#include <absl/status/statusor.h>
#include <pagewire/peer_identity.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/text_pattern.h"

namespace pagewire::server {

// pagewire/authorizer.h says what the texts mean. Users of Unix sockets and names of certificates never match each
// other's patterns, whatever an authority may have signed.
class PrincipalPattern {
 public:
  // INVALID_ARGUMENT: a * that is misplaced, a uid that is no number.
  static absl::StatusOr<PrincipalPattern> Parse(std::string_view text);

  bool Matches(const PeerIdentity& peer) const;

 private:
  enum class Kind { kNobody, kAnybody, kAnyUser, kUser, kName };

  PrincipalPattern(Kind kind, uint32_t uid, std::optional<TextPattern> name)
      : kind_(kind), uid_(uid), name_(std::move(name)) {}

  Kind kind_;
  uint32_t uid_;                     // of kUser
  std::optional<TextPattern> name_;  // of kName
};

// For messages, of bounded size: the first of what the client has proven.
std::string DescribeClient(const PeerIdentity& peer);

}  // namespace pagewire::server
