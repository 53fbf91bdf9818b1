// Policies: what is read, what is refused, what they allow.
#include "server/authorization_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pagewire::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

bool Matches(std::string_view pattern, std::string_view value) {
  return TextPattern::Parse(pattern).value().Matches(value);
}

TEST(TextPatternTest, WholeTexts) {
  EXPECT_TRUE(Matches("abc", "abc"));
  EXPECT_FALSE(Matches("abc", "abcd"));
  EXPECT_FALSE(Matches("abc", "ABC"));
  EXPECT_FALSE(Matches("abc", ""));
  EXPECT_TRUE(Matches("", ""));
  EXPECT_FALSE(Matches("", "a"));
  EXPECT_FALSE(Matches("abc", std::string_view("abc\0", 4)));
}

TEST(TextPatternTest, BeginningsAndEnds) {
  EXPECT_TRUE(Matches("abc*", "abc"));
  EXPECT_TRUE(Matches("abc*", "abcd"));
  EXPECT_FALSE(Matches("abc*", "ab"));
  EXPECT_FALSE(Matches("abc*", "xabc"));
  EXPECT_TRUE(Matches("*abc", "abc"));
  EXPECT_TRUE(Matches("*abc", "xabc"));
  EXPECT_FALSE(Matches("*abc", "abcx"));
  EXPECT_FALSE(Matches("*abc", "bc"));
}

TEST(TextPatternTest, Presence) {
  EXPECT_TRUE(Matches("*", "a"));
  EXPECT_FALSE(Matches("*", ""));
}

TEST(TextPatternTest, AStarElsewhere) {
  for (const char* text : {"**", "*a*", "a*b", "a**", "***"}) {
    EXPECT_EQ(TextPattern::Parse(text).status(),
              absl::InvalidArgumentError("a * may stand at the beginning or at the end only, and once"))
        << text;
  }
}

PeerIdentity Certificate(std::string common_name, std::vector<std::string> dns_names = {},
                         std::vector<std::string> uris = {}) {
  PeerIdentity peer;
  peer.encrypted = true;
  peer.common_name = std::move(common_name);
  peer.dns_names = std::move(dns_names);
  peer.uris = std::move(uris);
  peer.certificate_fingerprint = "0123";
  return peer;
}

PeerIdentity User(uint32_t uid) {
  PeerIdentity peer;
  peer.process = PeerProcess{.pid = 1, .uid = uid, .gid = 1};
  return peer;
}

bool Is(std::string_view pattern, const PeerIdentity& peer) {
  return PrincipalPattern::Parse(pattern).value().Matches(peer);
}

TEST(PrincipalPatternTest, NamesOfCertificates) {
  const PeerIdentity peer = Certificate("client", {"a.test", "b.test"}, {"spiffe://test/a", "spiffe://test/b"});
  for (const char* pattern : {"client", "a.test", "b.test", "*.test", "spiffe://test/b", "spiffe://test/*", "*"}) {
    EXPECT_TRUE(Is(pattern, peer)) << pattern;
  }
  for (const char* pattern : {"clien", "A.test", "c.test", "spiffe://test/", "uid:0", "uid:*", ""}) {
    EXPECT_FALSE(Is(pattern, peer)) << pattern;
  }
}

TEST(PrincipalPatternTest, UsersOfUnixSockets) {
  EXPECT_TRUE(Is("uid:1000", User(1000)));
  EXPECT_FALSE(Is("uid:100", User(1000)));
  EXPECT_FALSE(Is("uid:1000", User(0)));
  EXPECT_TRUE(Is("uid:4294967295", User(4294967295)));
  EXPECT_TRUE(Is("uid:*", User(7)));
  EXPECT_TRUE(Is("*", User(7)));
  EXPECT_FALSE(Is("", User(7)));
}

TEST(PrincipalPatternTest, WhoHasProvenNothing) {
  PeerIdentity plain;
  PeerIdentity encrypted;
  encrypted.encrypted = true;
  for (const char* pattern : {"*", "a", "*a", "a*", "uid:0", "uid:*"}) {
    EXPECT_FALSE(Is(pattern, plain)) << pattern;
    EXPECT_FALSE(Is(pattern, encrypted)) << pattern;
  }
  EXPECT_TRUE(Is("", encrypted));
  EXPECT_FALSE(Is("", plain));
}

// What an authority lets people choose freely must not look like what it does not.
TEST(PrincipalPatternTest, NamesThatPassForSomethingElse) {
  const PeerIdentity liar = Certificate("spiffe://test/admin", {"uid:0", "spiffe://test/admin"}, {"uid:0"});
  EXPECT_FALSE(Is("spiffe://test/admin", liar));
  EXPECT_FALSE(Is("spiffe://*", liar));
  EXPECT_FALSE(Is("uid:0", liar));
  EXPECT_FALSE(Is("uid:*", liar));
  EXPECT_FALSE(Is("admin", Certificate(std::string("admin\0.evil.test", 16))));
  EXPECT_TRUE(Is("*", liar)) << "the certificate is a proof all the same";
}

TEST(PrincipalPatternTest, WhatCannotBeRead) {
  for (const char* text : {"uid:", "uid:root", "uid:-1", "uid:4294967296", "uid: 1", "uid:1*"}) {
    EXPECT_EQ(PrincipalPattern::Parse(text).status(),
              absl::InvalidArgumentError("behind \"uid:\" there must be the number of a user, or *"))
        << text;
  }
}

TEST(PrincipalPatternTest, ClientsInMessages) {
  EXPECT_EQ(DescribeClient(Certificate("cn", {"a.test"}, {"spiffe://x"})), "spiffe://x");
  EXPECT_EQ(DescribeClient(Certificate("cn", {"a.test"})), "a.test");
  EXPECT_EQ(DescribeClient(Certificate("cn")), "cn");
  EXPECT_EQ(DescribeClient(Certificate("")), "the certificate 0123");
  EXPECT_EQ(DescribeClient(Certificate("a\nb\x01")), "a\\nb\\x01");
  EXPECT_EQ(DescribeClient(Certificate(std::string(5000, 'x'))).size(), 128u);
  EXPECT_EQ(DescribeClient(User(3)), "uid:3");
  EXPECT_EQ(DescribeClient(PeerIdentity()), "a client that has not proven who it is");
}

class AuthorizationPolicyTest : public ::testing::Test {
 protected:
  static AuthorizationPolicy Policy(const std::string& rules) {
    return AuthorizationPolicy::Parse("{\"name\": \"p\", " + rules + "}").value();
  }
  static bool Allows(const AuthorizationPolicy& policy, std::string_view method, const PeerIdentity& peer,
                     const Metadata& metadata = {}) {
    return policy.Check({method, peer, metadata}).ok();
  }
  static void ExpectWrong(const std::string& json, const std::string& message) {
    const absl::Status status = AuthorizationPolicy::Parse(json).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message)) << json;
  }
  static void ExpectWrongRule(const std::string& rule, const std::string& message) {
    ExpectWrong("{\"name\": \"p\", \"allow_rules\": [" + rule + "]}", message);
  }
};

TEST_F(AuthorizationPolicyTest, DenyComesBeforeAllowAndNothingElseIsAllowed) {
  const AuthorizationPolicy policy = Policy(R"(
    "deny_rules": [{"name": "no deletes", "request": {"paths": ["*/Delete"]}}],
    "allow_rules": [{"name": "store", "source": {"principals": ["a.test"]}, "request": {"paths": ["/s.Store/*"]}}])");
  const PeerIdentity a = Certificate("", {"a.test"});
  const PeerIdentity b = Certificate("", {"b.test"});
  EXPECT_EQ(policy.Check({"/s.Store/Get", a, {}}), absl::OkStatus());
  EXPECT_EQ(policy.Check({"/s.Store/Delete", a, {}}),
            absl::PermissionDeniedError(
                "/s.Store/Delete: rule \"no deletes\" of the server's policy \"p\" denies it to a.test"));
  EXPECT_EQ(policy.Check({"/s.Store/Get", b, {}}),
            absl::PermissionDeniedError("/s.Store/Get: no rule of the server's policy \"p\" allows it to b.test"));
  EXPECT_EQ(policy.Check({"/s.Other/Get", a, {}}),
            absl::PermissionDeniedError("/s.Other/Get: no rule of the server's policy \"p\" allows it to a.test"));
}

TEST_F(AuthorizationPolicyTest, WithoutSourceAnybodyWithoutRequestAnything) {
  const AuthorizationPolicy anybody = Policy(R"("allow_rules": [{"name": "r", "request": {"paths": ["/s/Get"]}}])");
  EXPECT_TRUE(Allows(anybody, "/s/Get", PeerIdentity()));
  EXPECT_FALSE(Allows(anybody, "/s/Put", PeerIdentity()));
  const AuthorizationPolicy anything = Policy(R"("allow_rules": [{"name": "r", "source": {"principals": ["uid:1"]}}])");
  EXPECT_TRUE(Allows(anything, "/any/Thing", User(1)));
  EXPECT_FALSE(Allows(anything, "/any/Thing", User(2)));
  EXPECT_TRUE(Allows(Policy(R"("allow_rules": [{"name": "r"}])"), "/any/Thing", PeerIdentity()));
  EXPECT_FALSE(
      Allows(Policy(R"("deny_rules": [{"name": "d"}], "allow_rules": [{"name": "r"}])"), "/any/Thing", User(0)));
}

TEST_F(AuthorizationPolicyTest, OneOfPathsAndPrincipalsAllOfHeaders) {
  const AuthorizationPolicy policy = Policy(R"("allow_rules": [{"name": "r",
    "source": {"principals": ["uid:1", "uid:2"]},
    "request": {"paths": ["/s/A", "/s/B"],
                "headers": [{"key": "Purpose", "values": ["report", "test*"]}, {"key": "x", "values": ["*"]}]}}])");
  const Metadata good = {{"purpose", "testing"}, {"x", "1"}};
  EXPECT_TRUE(Allows(policy, "/s/A", User(1), good));
  EXPECT_TRUE(Allows(policy, "/s/B", User(2), {{"purpose", "report"}, {"x", "1"}}));
  EXPECT_FALSE(Allows(policy, "/s/C", User(1), good));
  EXPECT_FALSE(Allows(policy, "/s/A", User(3), good));
  EXPECT_FALSE(Allows(policy, "/s/A", User(1), {{"purpose", "testing"}}));
  EXPECT_FALSE(Allows(policy, "/s/A", User(1), {{"purpose", "reports"}, {"x", "1"}}));
  EXPECT_FALSE(Allows(policy, "/s/A", User(1), {{"purpose", "testing"}, {"x", ""}}));
}

TEST_F(AuthorizationPolicyTest, SeveralValuesOfAHeaderAreOne) {
  const AuthorizationPolicy policy =
      Policy(R"("allow_rules": [{"name": "r", "request": {"headers": [{"key": "k", "values": ["a,b"]}]}}])");
  EXPECT_TRUE(Allows(policy, "/s/A", User(1), {{"k", "a"}, {"k", "b"}}));
  EXPECT_FALSE(Allows(policy, "/s/A", User(1), {{"k", "a"}}));
  EXPECT_FALSE(Allows(policy, "/s/A", User(1), {{"k", "a"}, {"k", "b"}, {"k", "c"}}));
}

TEST_F(AuthorizationPolicyTest, WhatIsMissing) {
  ExpectWrong("{}", "the policy has no name");
  ExpectWrong(R"({"name": "p"})", "the policy has no allow_rules, so that no call would be allowed");
  ExpectWrong(R"({"name": "p", "deny_rules": [{"name": "r"}], "allow_rules": []})", "the policy has no allow_rules");
  ExpectWrong(R"({"name": "p", "deny_rules": [{}], "allow_rules": [{"name": "r"}]})",
              "deny_rules[0]: the rule has no name");
  ExpectWrongRule(R"({"name": "a"}, {"name": ""})", "allow_rules[1]: the rule has no name");
  // An empty list would match everybody, which is not what who writes it means.
  ExpectWrongRule(R"({"name": "a", "source": {"principals": []}})",
                  "allow_rules[0]: the rule.source has no principals; leave it out if any client is meant");
  ExpectWrongRule(R"({"name": "a", "request": {"paths": []}})", "the rule.request has neither paths nor headers");
  ExpectWrongRule(R"({"name": "a", "request": {"headers": [{"key": "k"}]}})", "has no values");
  ExpectWrongRule(R"({"name": "a", "request": {"headers": [{"values": ["v"]}]}})", "a key is empty");
}

TEST_F(AuthorizationPolicyTest, WhatCannotMatchAsItIsMeant) {
  ExpectWrongRule(R"({"name": "a", "request": {"paths": ["/ok/A", "s.Store/Get"]}})",
                  "the rule.request.paths[1]: is no method's name, which would begin with /");
  ExpectWrongRule(R"({"name": "a", "request": {"paths": [""]}})", "is no method's name");
  ExpectWrongRule(R"({"name": "a", "request": {"paths": ["/s/*/Get"]}})", "a * may stand at the beginning or");
  ExpectWrongRule(R"({"name": "a", "source": {"principals": ["*.a.*"]}})", "the rule.source.principals[0]: a * may");
  ExpectWrongRule(R"({"name": "a", "source": {"principals": ["uid:root"]}})", "there must be the number of a user");
  for (const char* key : {"grpc-timeout", "pagewire-x", ":path", "a b"}) {
    ExpectWrongRule(
        std::string(R"({"name": "a", "request": {"headers": [{"key": ")") + key + R"(", "values": ["v"]}]}})",
        "headers[0]: metadata: key");
  }
  ExpectWrongRule(R"({"name": "a", "request": {"headers": [{"key": "k-bin", "values": ["v"]}]}})", "binary values");
}

TEST_F(AuthorizationPolicyTest, UnknownFieldsAreErrors) {
  ExpectWrong(R"({"name": "p", "allow_rules": [{"name": "r"}], "audit_logging_options": {}})", "audit_logging_options");
  ExpectWrongRule(R"({"name": "a", "source": {"principls": ["a"]}})", "principls: Cannot find field");
  ExpectWrongRule(R"({"name": "a", "request": {"path": ["/a"]}})", "path: Cannot find field");
  ExpectWrongRule(R"({"name": "a", "when": "always"})", "when: Cannot find field");
}

// null is for protobuf as if the field was not there: anybody, any request.
TEST_F(AuthorizationPolicyTest, OnlyStringsListsAndObjects) {
  ExpectWrongRule(R"({"name": "a", "source": null})",
                  "byte 54 belongs to something else than strings, lists and objects");
  for (const char* value : {"null", "true", "1", "[null]", "'x'", "x", "/* x */"}) {
    ExpectWrongRule(std::string(R"({"name": "a", "request": {"paths": )") + value + "}}", "belongs to something else");
  }
  ExpectWrongRule("{name: \"a\"}", "belongs to something else");
  EXPECT_EQ(Policy(R"("allow_rules": [{"name": "null \"true\" 1\\"}])").allow_rules[0].name, "null \"true\" 1\\");
}

TEST_F(AuthorizationPolicyTest, WhatIsNoJsonIsNotShown) {
  const auto with_request = [](const std::string& request) {
    return R"({"name": "p", "allow_rules": [{"name": "r", "request": )" + request + "}]}";
  };
  for (const std::string& json : std::vector<std::string>{
           R"({"name": "p" "very-secret"})",
           R"(very-secret)",
           R"("very-secret")",
           R"(["very-secret"])",
           R"({"name": "p", "allow_rules": "very-secret"})",
           R"({"name": {"very-secret": 1}})",
           R"({"name": 'very-secret})",
           with_request(R"({"headers": [{"key": "k", "values": ["very-secret"])"),
           with_request(R"({"headers": ["very-secret"]})"),
           with_request(R"({"headers": "very-secret"})"),
           with_request(R"({"headers": [{"key": "k", "values": ["a*very-secret"]}]})"),
           with_request(R"({"headers": [{"key": "k", "values": [{"v": "very-secret"}]}]})"),
       }) {
    const absl::Status status = AuthorizationPolicy::Parse(json).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("very-secret"))) << json;
  }
  EXPECT_FALSE(AuthorizationPolicy::Parse("").ok());
  EXPECT_FALSE(AuthorizationPolicy::Parse(std::string(100'000, '[')).ok());
  EXPECT_FALSE(AuthorizationPolicy::Parse(std::string("{\"name\": \"\0\xff\"}", 15)).ok());
}

}  // namespace
}  // namespace pagewire::server
