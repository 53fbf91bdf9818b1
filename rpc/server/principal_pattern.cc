#include "server/principal_pattern.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <charconv>
#include <utility>

#include "base/string_view.h"

namespace pagewire::server {
namespace {

constexpr std::string_view kUser = "uid:";

// Authorities look at what is in a URI; whoever asks for a common name of that form hopes that nobody does.
bool PassesForAUri(std::string_view name) { return name.find(':') != std::string_view::npos; }

// Calls `visit` with each of the certificate's names until it says true; whether it did.
template <typename Visit>
bool AnyName(const PeerIdentity& peer, Visit visit) {
  for (const std::string& uri : peer.uris) {
    if (visit(uri)) return true;
  }
  for (const std::string& name : peer.dns_names) {
    if (!PassesForAUri(name) && visit(name)) return true;
  }
  return !peer.common_name.empty() && !PassesForAUri(peer.common_name) && visit(peer.common_name);
}

bool Proven(const PeerIdentity& peer) { return peer.process.has_value() || !peer.certificate_fingerprint.empty(); }

}  // namespace

absl::StatusOr<PrincipalPattern> PrincipalPattern::Parse(std::string_view text) {
  if (text.empty()) return PrincipalPattern(Kind::kNobody, 0, std::nullopt);
  if (text == "*") return PrincipalPattern(Kind::kAnybody, 0, std::nullopt);
  if (text.substr(0, kUser.size()) == kUser) {
    const std::string_view number = text.substr(kUser.size());
    if (number == "*") return PrincipalPattern(Kind::kAnyUser, 0, std::nullopt);
    uint32_t uid = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), uid);
    if (error != std::errc() || end != number.data() + number.size()) {
      return absl::InvalidArgumentError("behind \"uid:\" there must be the number of a user, or *");
    }
    return PrincipalPattern(Kind::kUser, uid, std::nullopt);
  }
  absl::StatusOr<TextPattern> name = TextPattern::Parse(text);
  if (!name.ok()) return std::move(name).status();
  return PrincipalPattern(Kind::kName, 0, *std::move(name));
}

bool PrincipalPattern::Matches(const PeerIdentity& peer) const {
  switch (kind_) {
    case Kind::kNobody:
      return peer.encrypted && !Proven(peer);
    case Kind::kAnybody:
      return Proven(peer);
    case Kind::kAnyUser:
      return peer.process.has_value();
    case Kind::kUser:
      return peer.process.has_value() && peer.process->uid == uid_;
    case Kind::kName:
      break;
  }
  return AnyName(peer, [&](const std::string& name) { return name_->Matches(name); });
}

std::string DescribeClient(const PeerIdentity& peer) {
  constexpr size_t kMost = 128;
  if (!Proven(peer)) return "a client that has not proven who it is";
  std::string text;
  const bool named = AnyName(peer, [&](const std::string& name) {
    text = absl::CHexEscape(base::ToAbsl(std::string_view(name).substr(0, kMost)));
    return true;
  });
  if (named) return text;
  return peer.process.has_value() ? absl::StrCat(base::ToAbsl(kUser), peer.process->uid)
                                  : absl::StrCat("the certificate ", peer.certificate_fingerprint);
}

}  // namespace pagewire::server
