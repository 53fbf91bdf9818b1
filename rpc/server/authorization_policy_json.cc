#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/util/json_util.h>
#include <pagewire/authorization_policy.pb.h>

#include <string>
#include <utility>

#include "base/status.h"
#include "base/string_view.h"
#include "server/authorization_policy.h"
#include "wire/metadata.h"

namespace pagewire::server {
namespace {

absl::Status Wrong(std::string_view where, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(base::ToAbsl(where), " ", base::ToAbsl(what)));
}

// What protobuf says of a text that is not as it should be: its first line, because the next ones quote the text, and
// what is quoted in it left out. Either may be the value of a header, and a secret.
std::string WithoutContent(std::string_view message) {
  constexpr size_t kMost = 200;
  std::string kept;
  bool quoted = false;
  for (const char c : message.substr(0, message.find('\n'))) {
    if (c == '"') quoted = !quoted;
    if (c == '"' && quoted) kept += "\"...\"";
    if (c != '"' && !quoted) kept += c;
  }
  return kept.substr(0, kMost);
}

// Policies consist of strings, lists and objects. protobuf takes more: above all null, as if the field was not there,
// which in a rule would mean anybody.
absl::Status CheckIsPlain(std::string_view json) {
  bool quoted = false;
  for (size_t i = 0; i < json.size(); ++i) {
    if (quoted && json[i] == '\\') {
      ++i;
    } else if (json[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && std::string_view("{}[]:, \t\r\n").find(json[i]) == std::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("byte ", i, " belongs to something else than strings, lists and objects"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<TextPattern> ReadPath(std::string_view text) {
  if (text.empty() || (text.front() != '/' && text.front() != '*')) {
    return absl::InvalidArgumentError("is no method's name, which would begin with /, and no * with an end of one");
  }
  return TextPattern::Parse(text);
}

template <typename Pattern, typename Texts, typename Read>
absl::Status ReadAll(const Texts& texts, const std::string& where, Read read, std::vector<Pattern>& patterns) {
  for (int i = 0; i < texts.size(); ++i) {
    absl::StatusOr<Pattern> pattern = read(texts[i]);
    if (!pattern.ok()) return base::Annotate(pattern.status(), absl::StrCat(where, "[", i, "]"));
    patterns.push_back(*std::move(pattern));
  }
  return absl::OkStatus();
}

absl::StatusOr<HeaderRule> ReadHeader(const v1::AuthorizationRule::Header& read, const std::string& where) {
  HeaderRule header;
  header.key = absl::AsciiStrToLower(read.key());
  if (absl::Status status = wire::ValidateUserMetadata(header.key, ""); !status.ok()) {
    return base::Annotate(status, where);
  }
  constexpr std::string_view kBinary = "-bin";
  if (header.key.size() >= kBinary.size() &&
      header.key.compare(header.key.size() - kBinary.size(), kBinary.size(), kBinary) == 0) {
    return Wrong(where, "has a key of binary values, which rules cannot compare");
  }
  if (read.values().empty()) return Wrong(where, "has no values, so that nothing would match; \"*\" matches any");
  absl::Status status = ReadAll(read.values(), absl::StrCat(where, ".values"), TextPattern::Parse, header.values);
  if (!status.ok()) return status;
  return header;
}

absl::Status ReadRequest(const v1::AuthorizationRule::Request& read, const std::string& where,
                         AuthorizationRule& rule) {
  if (read.paths().empty() && read.headers().empty()) {
    return Wrong(where, "has neither paths nor headers; leave it out if any request is meant");
  }
  if (absl::Status status = ReadAll(read.paths(), absl::StrCat(where, ".paths"), ReadPath, rule.paths); !status.ok()) {
    return status;
  }
  for (int i = 0; i < read.headers_size(); ++i) {
    absl::StatusOr<HeaderRule> header = ReadHeader(read.headers(i), absl::StrCat(where, ".headers[", i, "]"));
    if (!header.ok()) return std::move(header).status();
    rule.headers.push_back(*std::move(header));
  }
  return absl::OkStatus();
}

absl::StatusOr<AuthorizationRule> ReadRule(const v1::AuthorizationRule& read, const std::string& where) {
  AuthorizationRule rule;
  rule.name = read.name();
  if (rule.name.empty()) return Wrong(where, "has no name");
  if (read.has_source()) {
    const std::string source = absl::StrCat(where, ".source");
    if (read.source().principals().empty()) {
      return Wrong(source, "has no principals; leave it out if any client is meant");
    }
    absl::Status status = ReadAll(read.source().principals(), absl::StrCat(source, ".principals"),
                                  PrincipalPattern::Parse, rule.principals);
    if (!status.ok()) return status;
  }
  if (read.has_request()) {
    if (absl::Status status = ReadRequest(read.request(), absl::StrCat(where, ".request"), rule); !status.ok()) {
      return status;
    }
  }
  return rule;
}

template <typename Rules>
absl::Status ReadRules(const Rules& read, const std::string& where, std::vector<AuthorizationRule>& rules) {
  const auto read_rule = [&](const v1::AuthorizationRule& rule) { return ReadRule(rule, "the rule"); };
  return ReadAll(read, where, read_rule, rules);
}

}  // namespace

absl::StatusOr<AuthorizationPolicy> AuthorizationPolicy::Parse(std::string_view json) {
  constexpr absl::string_view kNoPolicy = "it is no policy in JSON: ";
  if (absl::Status status = CheckIsPlain(json); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(kNoPolicy, status.message()));
  }
  v1::AuthorizationPolicy read;
  const auto parsed = google::protobuf::util::JsonStringToMessage(std::string(json), &read);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(kNoPolicy, WithoutContent(std::string(parsed.message()))));
  }
  AuthorizationPolicy policy;
  policy.name = read.name();
  if (policy.name.empty()) return Wrong("the policy", "has no name");
  if (read.allow_rules().empty()) return Wrong("the policy", "has no allow_rules, so that no call would be allowed");
  absl::Status status = ReadRules(read.deny_rules(), "deny_rules", policy.deny_rules);
  if (status.ok()) status = ReadRules(read.allow_rules(), "allow_rules", policy.allow_rules);
  if (!status.ok()) return status;
  return policy;
}

}  // namespace pagewire::server
