// Resolvers and registrations with an etcd that is not there, or not one.
#include <pagewire/etcd.h>
#include <pagewire/internal/blocking.h>

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "client/answers.h"
#include "etcd/etcd_resolver.h"
#include "etcd/fake_gateway.h"
#include "transport/epoll_loop.h"

namespace pagewire::etcd {
namespace {

using testing::ElementsAre;
using testing::MatchesRegex;

// Nobody listens on port 1.
constexpr char kNobody[] = "http://127.0.0.1:1";
constexpr char kRefused[] =
    "http://127.0.0.1:1: Failed to connect to 127.0.0.1 port 1 after [0-9]+ ms: Couldn't connect "
    "to server";

// The range's one entry is /pagewire/services/blobs/ipv4:10.0.0.1:7070, at revision 5.
constexpr char kOneEntry[] = R"({"header":{"revision":"5"},"kvs":[{"key":)"
                             R"("L3BhZ2V3aXJlL3NlcnZpY2VzL2Jsb2JzL2lwdjQ6MTAuMC4wLjE6NzA3MA=="}],"count":"1"})";

EtcdOptions At(std::vector<std::string> endpoints, absl::Duration timeout = absl::Seconds(60)) {
  EtcdOptions options;
  options.endpoints = std::move(endpoints);
  options.timeout = timeout;
  return options;
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

class EtcdResolverFailureTest : public testing::Test {
 protected:
  std::unique_ptr<Resolver> Resolve(const EtcdOptions& options) {
    return std::make_unique<EtcdResolver>(*CurlLoop::Shared(), options, "blobs", answers_.Callback());
  }

  // The first thing that a resolver says with a gateway that answers in this way.
  std::string FirstError(FakeGateway::Answer answer, absl::Duration timeout = absl::Seconds(60)) {
    FakeGateway gateway(std::move(answer));
    const auto resolver = Resolve(At({gateway.endpoint()}, timeout));
    const absl::Status status = answers_.Next().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    return MessageOf(status);
  }

  client::Answers answers_;
};

TEST_F(EtcdResolverFailureTest, NobodyListens) {
  const auto resolver = Resolve(At({kNobody}));
  const absl::Status status = answers_.Next().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(status),
              MatchesRegex(absl::StrCat("the servers of \"blobs\" cannot be followed: no etcd answers: ", kRefused)));
  EXPECT_EQ(answers_.Next().status().code(), absl::StatusCode::kUnavailable);  // it goes on trying
}

TEST_F(EtcdResolverFailureTest, EachEndpointIsNamed) {
  const auto resolver = Resolve(At({kNobody, "http://localhost:1"}));
  EXPECT_THAT(MessageOf(answers_.Next().status()),
              MatchesRegex(absl::StrCat(".*no etcd answers: ", kRefused, "; http://localhost:1: .*")));
}

TEST_F(EtcdResolverFailureTest, AnotherServer) {
  EXPECT_THAT(
      FirstError([](std::string_view) { return "HTTP/1.1 404 Not Found\r\n\r\nNot \"here\"\n"; }),
      MatchesRegex("the servers of \"blobs\" cannot be followed: no etcd answers: http://127.0.0.1:[0-9]+: HTTP "
                   "status 404, and not from etcd: \"Not ..here.*"));
}

TEST_F(EtcdResolverFailureTest, NotHttp) {
  EXPECT_THAT(FirstError([](std::string_view) { return "SSH-2.0-OpenSSH_9.2\r\n"; }),
              MatchesRegex(".*no etcd answers: http://127.0.0.1:[0-9]+: Received HTTP/0.9 when not allowed"));
}

TEST_F(EtcdResolverFailureTest, NotJson) {
  EXPECT_THAT(FirstError([](std::string_view) { return FakeGateway::Ok("<html>"); }),
              MatchesRegex(".*cannot be followed: etcd at http://127.0.0.1:[0-9]+: not what etcd answers: \"<html>\""));
}

TEST_F(EtcdResolverFailureTest, OtherJson) {
  EXPECT_THAT(FirstError([](std::string_view) { return FakeGateway::Ok(R"({"kvs":7})"); }),
              MatchesRegex(".*cannot be followed: etcd at http://127.0.0.1:[0-9]+: not what etcd answers: .*kvs.*"));
}

TEST_F(EtcdResolverFailureTest, EtcdRefuses) {
  EXPECT_THAT(
      FirstError([](std::string_view) {
        return "HTTP/1.1 403 Forbidden\r\n\r\n"
               R"({"error":"etcdserver: permission denied","message":"etcdserver: permission denied","code":7})";
      }),
      MatchesRegex(".*cannot be followed: etcd at http://127.0.0.1:[0-9]+: etcdserver: permission denied"));
}

TEST_F(EtcdResolverFailureTest, NoAnswer) {
  EXPECT_THAT(FirstError([](std::string_view) { return ""; }, absl::Milliseconds(50)),
              MatchesRegex(".*no etcd answers: http://127.0.0.1:[0-9]+: (Operation|Connection) timed out after .*"));
}

TEST_F(EtcdResolverFailureTest, AnAnswerThatIsCutShort) {
  EXPECT_THAT(FirstError([](std::string_view) { return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"; }),
              MatchesRegex(".*no etcd answers: http://127.0.0.1:[0-9]+: transfer closed with 99 bytes remaining.*"));
}

TEST_F(EtcdResolverFailureTest, AnAnswerWithoutEnd) {
  EXPECT_THAT(FirstError([](std::string_view) { return FakeGateway::Ok(std::string(20 << 20, ' ')); }),
              MatchesRegex(".*no etcd answers: http://127.0.0.1:[0-9]+: the answer is longer than 16777216 bytes"));
}

TEST_F(EtcdResolverFailureTest, RedirectsAreNotFollowed) {
  FakeGateway other([](std::string_view) { return FakeGateway::Ok(kOneEntry); });
  EXPECT_THAT(FirstError([&](std::string_view) {
                return absl::StrCat("HTTP/1.1 307 Temporary Redirect\r\nLocation: ", other.endpoint(), "\r\n\r\n");
              }),
              MatchesRegex(".*HTTP status 307, and not from etcd: \"\""));
}

// What is known stays in use, and is read again, whatever a watch says.
class BrokenWatchTest : public EtcdResolverFailureTest, public testing::WithParamInterface<std::string> {};

TEST_P(BrokenWatchTest, EntriesAreReadAnew) {
  FakeGateway gateway([](std::string_view path) {
    return path == "/v3/kv/range" ? FakeGateway::Ok(kOneEntry) : FakeGateway::Ok(GetParam());
  });
  const auto resolver = Resolve(At({gateway.endpoint()}));
  const auto answer = answers_.Next();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->addresses, ElementsAre("ipv4:10.0.0.1:7070"));
  gateway.WaitForRequests("/v3/watch", 2);
  gateway.WaitForRequests("/v3/kv/range", 3);
  EXPECT_TRUE(answers_.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Watches, BrokenWatchTest,
    testing::Values("", "<html>\n", "{\"result\":{\"created\":true}}\n", "{\"result\":{\"created\":true}}\n{\"resu",
                    "{\"result\":{\"canceled\":true,\"compact_revision\":\"9\"}}\n",
                    "{\"result\":{\"canceled\":true,\"cancel_reason\":\"no leader\"}}\n",
                    "{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"etcdserver: no leader\"}}\n",
                    "{\"result\":{\"events\":[{\"type\":\"DELETE\",\"kv\":{\"key\":\"AA==\"}}]}}\n", "\n\n\n",
                    std::string(20 << 20, ' ')));

TEST_F(EtcdResolverFailureTest, DestructionWhileARequestIsOut) {
  FakeGateway gateway([](std::string_view) { return ""; });
  auto resolver = Resolve(At({gateway.endpoint()}));
  gateway.WaitForRequests("/v3/kv/range", 1);
  resolver.reset();
  EXPECT_TRUE(answers_.empty());
}

TEST_F(EtcdResolverFailureTest, DestructionWhileAWatchIsOpen) {
  FakeGateway gateway(
      [](std::string_view path) { return path == "/v3/kv/range" ? FakeGateway::Ok(kOneEntry) : std::string(); });
  auto resolver = Resolve(At({gateway.endpoint()}));
  gateway.WaitForRequests("/v3/watch", 1);
  resolver.reset();
}

absl::Status Register(const EtcdOptions& options, std::string_view service = "blobs",
                      std::string_view address = "10.0.0.1:7070", absl::Duration ttl = absl::Seconds(60)) {
  return EtcdRegistration::Register(options, service, address, ttl).status();
}

TEST(EtcdRegistrationFailureTest, NobodyListens) {
  const absl::Status status = Register(At({kNobody}));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(status), MatchesRegex(absl::StrCat(
                                     "cannot register ipv4:10.0.0.1:7070 for \"blobs\": no etcd answers: ", kRefused)));
}

TEST(EtcdRegistrationFailureTest, NoLease) {
  FakeGateway gateway([](std::string_view) { return FakeGateway::Ok("{}"); });
  EXPECT_EQ(Register(At({gateway.endpoint()})),
            absl::UnavailableError(absl::StrCat("cannot register ipv4:10.0.0.1:7070 for \"blobs\": etcd at ",
                                                gateway.endpoint(), " granted no lease")));
}

TEST(EtcdRegistrationFailureTest, NotJson) {
  FakeGateway gateway([](std::string_view) { return FakeGateway::Ok("<html>"); });
  EXPECT_EQ(Register(At({gateway.endpoint()})),
            absl::UnavailableError(absl::StrCat("cannot register ipv4:10.0.0.1:7070 for \"blobs\": etcd at ",
                                                gateway.endpoint(), ": not what etcd answers: \"<html>\"")));
}

TEST(EtcdRegistrationFailureTest, TheKeyIsRefused) {
  FakeGateway gateway([](std::string_view path) {
    if (path == "/v3/lease/grant") return FakeGateway::Ok(R"({"ID":"7","TTL":"60"})");
    return std::string("HTTP/1.1 403 Forbidden\r\n\r\n{\"message\":\"etcdserver: permission denied\",\"code\":7}");
  });
  EXPECT_EQ(Register(At({gateway.endpoint()})),
            absl::PermissionDeniedError(absl::StrCat("cannot register ipv4:10.0.0.1:7070 for \"blobs\": etcd at ",
                                                     gateway.endpoint(), ": etcdserver: permission denied")));
}

TEST(EtcdRegistrationFailureTest, DeregisteringEndsWithTheTimeout) {
  FakeGateway gateway([](std::string_view path) {
    if (path == "/v3/lease/grant") return FakeGateway::Ok(R"({"ID":"7","TTL":"60"})");
    return path == "/v3/kv/put" ? FakeGateway::Ok("{}") : std::string();
  });
  const auto entry =
      EtcdRegistration::Register(At({gateway.endpoint()}, absl::Seconds(5)), "blobs", "10.0.0.1:1", absl::Seconds(60));
  ASSERT_TRUE(entry.ok()) << entry.status();
  const absl::Status status = (*entry)->Deregister();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(MessageOf(status), testing::HasSubstr(" timed out after "));
}

TEST(EtcdRegistrationFailureTest, NothingBlocksALoop) {
  const auto loop = *transport::EpollLoop::Create();
  absl::Status status;
  internal::Gate done;
  loop->Post([&] {
    status = Register(At({kNobody}));
    done.Open();
  });
  done.Wait();
  EXPECT_EQ(status,
            absl::FailedPreconditionError("EtcdRegistration::Register blocks, and this is one of the library's loops"));
}

TEST(EtcdRegistrationFailureTest, Arguments) {
  const EtcdOptions options;
  for (const std::string service : {"", "a/b", "a\nb"})
    EXPECT_TRUE(absl::IsInvalidArgument(Register(options, service)));
  EXPECT_EQ(Register(options, "a/b"),
            absl::InvalidArgumentError("\"a/b\" cannot be a service in etcd: expected a name without '/' and control "
                                       "characters"));
  EXPECT_EQ(Register(options, "blobs", "blobs.test:7070"),
            absl::InvalidArgumentError("\"blobs.test:7070\" cannot be registered: it is a name; register an address"));
  EXPECT_EQ(Register(options, "blobs", "ipv4:10.0.0.1:1,10.0.0.2:1"),
            absl::InvalidArgumentError(
                "\"ipv4:10.0.0.1:1,10.0.0.2:1\" cannot be registered: it has several addresses; register each"));
  EXPECT_EQ(Register(options, "blobs", "[::]:7070"),
            absl::InvalidArgumentError("\"[::]:7070\" cannot be registered: nobody can connect to it; register an "
                                       "address of this machine"));
  EXPECT_TRUE(absl::IsInvalidArgument(Register(options, "blobs", "10.0.0.1:0")));
  EXPECT_EQ(Register(options, "blobs", "10.0.0.1:7070", absl::Seconds(1)),
            absl::InvalidArgumentError("the lease's time to live is 1s: it must be from 2s to 24h"));
  EXPECT_TRUE(absl::IsInvalidArgument(Register(options, "blobs", "10.0.0.1:7070", absl::InfiniteDuration())));
}

TEST(EtcdOptionsTest, WhatCannotWorkIsNamed) {
  EXPECT_EQ(RegisterEtcdResolver(At({})),
            absl::InvalidArgumentError("EtcdOptions::endpoints is empty: name at least one member of the cluster"));
  for (const std::string endpoint : {"", "127.0.0.1:2379", "ftp://a:1", "http://", "http:///", "http://a:1/v3",
                                     "http://a b", "http://user:secret@a"}) {
    EXPECT_EQ(RegisterEtcdResolver(At({"http://127.0.0.1:2379", endpoint})),
              absl::InvalidArgumentError("EtcdOptions::endpoints has \"" + endpoint +
                                         "\": expected \"http://host:port\" or \"https://host:port\""));
  }
  EXPECT_EQ(RegisterEtcdResolver(At({kNobody}, absl::ZeroDuration())),
            absl::InvalidArgumentError("EtcdOptions::timeout is 0: it must be from 1ms to 1h"));
  EtcdOptions options;
  options.certificate_file = "/client.pem";
  EXPECT_EQ(RegisterEtcdResolver(options), absl::InvalidArgumentError("EtcdOptions::certificate_file and key_file go "
                                                                      "together: set both or neither"));
}

TEST(EtcdTargetTest, ServicesAreNamesOfOnePart) {
  EXPECT_EQ(*ParseEtcdTarget("etcd:///pkg.Blobs"), "pkg.Blobs");
  EXPECT_EQ(*ParseEtcdTarget("etcd:pkg.Blobs"), "pkg.Blobs");
  for (const char* target : {"", "etcd:", "etcd:///", "etcd:///a/b", "etcd://host/a", "etcd:/a", "etcd:///a\n"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseEtcdTarget(target).status())) << target;
  }
  EXPECT_EQ(ParseEtcdTarget("etcd://host/a").status(),
            absl::InvalidArgumentError("\"etcd://host/a\" is not a target: expected \"etcd:///service\", where the "
                                       "service has no '/'; EtcdOptions say where etcd is"));
}

}  // namespace
}  // namespace pagewire::etcd
