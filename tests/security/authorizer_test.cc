// A server's policy file: who is let in, and what becomes of changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pagewire/authorizer.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "admin/log_lines.h"
#include "security/secure_server.h"

namespace pagewire::testing {
namespace {

using test::Blob;
using test::BlobRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Policy(const std::string& rules) { return "{\"name\": \"test\", " + rules + "}"; }

// Lets those in whose principal it is.
std::string For(const std::string& principal) {
  return Policy(R"("allow_rules": [{"name": "them", "source": {"principals": [")" + principal + R"("]}}])");
}

class AuthorizerTest : public ::testing::Test {
 protected:
  void Serve(const std::string& policy, bool mutual = true) {
    path_ = WriteFile(policy);
    absl::StatusOr<std::shared_ptr<ServerInterceptor>> authorizer =
        PolicyFileAuthorizer(path_, {.clock = [this] { return absl::Seconds(seconds_.load()); }});
    ASSERT_TRUE(authorizer.ok()) << authorizer.status();
    server_.emplace(std::vector<std::shared_ptr<ServerInterceptor>>{*authorizer}, mutual);
  }

  absl::Status Call(std::shared_ptr<Channel> channel) {
    Blob::Stub stub(std::move(channel));
    ClientContext context;
    return stub.Echo(context, BlobRequest()).status();
  }
  absl::Status CallOverTls(const Subject& subject) {
    return Call(CreateChannel(server_->tls_target(), server_->Credentials(subject)));
  }
  absl::Status CallByUser() { return Call(CreateChannel(server_->unix_target(), InsecureChannelCredentials())); }
  absl::Status CallInProcess() { return Call(CreateInProcessChannel(server_->server())); }

  std::atomic<int> seconds_ = 100;
  std::string path_;
  std::optional<SecureServer> server_;
};

TEST_F(AuthorizerTest, CertificatesSayWhoCalls) {
  Serve(Policy(R"(
    "deny_rules": [{"name": "not b", "source": {"principals": ["b.test"]}}],
    "allow_rules": [{"name": "all of test", "source": {"principals": ["*.test", "spiffe://test/*", "a name"]},
                     "request": {"paths": ["/pagewire.test.Blob/Echo"]}}])"));
  EXPECT_EQ(CallOverTls({.common_name = "x", .names = {"DNS:a.test"}}), absl::OkStatus());
  EXPECT_EQ(CallOverTls({.common_name = "x", .names = {"URI:spiffe://test/c"}}), absl::OkStatus());
  EXPECT_EQ(CallOverTls({.common_name = "a name"}), absl::OkStatus());
  EXPECT_EQ(CallOverTls({.common_name = "x", .names = {"DNS:b.test"}}),
            absl::PermissionDeniedError(
                "/pagewire.test.Blob/Echo: rule \"not b\" of the server's policy \"test\" denies it to b.test"));
  EXPECT_EQ(CallOverTls({.common_name = "x", .names = {"DNS:a.example"}}),
            absl::PermissionDeniedError(
                "/pagewire.test.Blob/Echo: no rule of the server's policy \"test\" allows it to a.example"));
}

TEST_F(AuthorizerTest, TheKernelSaysWhoCallsAtAUnixSocket) {
  Serve(For("uid:" + std::to_string(getuid())));
  EXPECT_EQ(CallByUser(), absl::OkStatus());
  Serve(For("uid:" + std::to_string(getuid() + 1)));
  EXPECT_EQ(CallByUser(), absl::PermissionDeniedError("/pagewire.test.Blob/Echo: no rule of the server's policy "
                                                      "\"test\" allows it to uid:" +
                                                      std::to_string(getuid())));
}

TEST_F(AuthorizerTest, WhoHasProvenNothingIsNobody) {
  Serve(For("*"), /*mutual=*/false);
  const auto refused = absl::PermissionDeniedError(
      "/pagewire.test.Blob/Echo: no rule of the server's policy \"test\" allows it to a client that has not proven who "
      "it is");
  EXPECT_EQ(Call(CreateChannel(server_->tls_target(), server_->Credentials())), refused);
  EXPECT_EQ(Call(CreateChannel(server_->plain_target(), InsecureChannelCredentials())), refused);
  EXPECT_EQ(CallInProcess(), refused);
  EXPECT_EQ(CallByUser(), absl::OkStatus());
  Serve(For(""), /*mutual=*/false);
  EXPECT_EQ(Call(CreateChannel(server_->tls_target(), server_->Credentials())), absl::OkStatus());
  EXPECT_EQ(Call(CreateChannel(server_->plain_target(), InsecureChannelCredentials())), refused);
}

TEST_F(AuthorizerTest, EachMethodForItself) {
  Serve(Policy(R"("allow_rules": [{"name": "put", "request": {"paths": ["/pagewire.test.Blob/Put"]}}])"));
  Blob::Stub stub(CreateInProcessChannel(server_->server()));
  ClientContext put;
  EXPECT_TRUE(stub.Put(put, BlobRequest(), test::MakePayload(10, 1)).ok());
  ClientContext swap;
  EXPECT_EQ(stub.Swap(swap, BlobRequest(), test::MakePayload(10, 1)).status().code(),
            absl::StatusCode::kPermissionDenied);
  // A name that is spelled otherwise is another method, which the server does not have.
  for (const char* name : {"/pagewire.test.Blob//Put", "/pagewire.test.Blob/Put/", "/pagewire.test.blob/Put"}) {
    ClientContext context;
    EXPECT_EQ(GenericStub(CreateInProcessChannel(server_->server())).Call(context, name, {}).status().code(),
              absl::StatusCode::kUnimplemented);
  }
}

TEST_F(AuthorizerTest, MetadataMayBeAskedFor) {
  Serve(
      Policy(R"("allow_rules": [{"name": "r", "request": {"headers": [{"key": "purpose", "values": ["report"]}]}}])"));
  Blob::Stub stub(CreateInProcessChannel(server_->server()));
  ClientContext without;
  EXPECT_EQ(stub.Echo(without, BlobRequest()).status().code(), absl::StatusCode::kPermissionDenied);
  ClientContext with;
  with.AddMetadata("purpose", "report");
  EXPECT_TRUE(stub.Echo(with, BlobRequest()).ok());
}

TEST_F(AuthorizerTest, AChangedFileIsReadAgainOnceASecond) {
  LogLines log;
  Serve(For("uid:*"));
  EXPECT_EQ(CallByUser(), absl::OkStatus());
  ReplaceFile(path_, For("nobody"));
  EXPECT_EQ(CallByUser(), absl::OkStatus()) << "it was looked at in this second";
  ++seconds_;
  EXPECT_EQ(CallByUser().code(), absl::StatusCode::kPermissionDenied);
  ReplaceFile(path_, For("uid:*"));
  EXPECT_EQ(CallByUser().code(), absl::StatusCode::kPermissionDenied);
  ++seconds_;
  EXPECT_EQ(CallByUser(), absl::OkStatus());
  const std::string line =
      "info: policy file \"" + path_ + "\" was read again: policy \"test\", 0 deny rules, 1 allow rules";
  EXPECT_THAT(log.Lines(), ElementsAre(line, line));
}

TEST_F(AuthorizerTest, OnceReadItStaysUntilAValidOneComes) {
  LogLines log;
  Serve(For("uid:*"));
  const std::string broken = R"({"name": "test", "allow_rules": [{"name": "very-secret})";
  for (int look = 0; look < 3; ++look) {
    ReplaceFile(path_, broken);
    ++seconds_;
    EXPECT_EQ(CallByUser(), absl::OkStatus());
  }
  ASSERT_EQ(log.Lines().size(), 1u) << "one warning";
  EXPECT_THAT(log.Lines()[0], HasSubstr("warning: policy file \"" + path_ + "\": it is no policy in JSON: "));
  EXPECT_THAT(log.Lines()[0], HasSubstr("; what was read before stays in use"));
  EXPECT_THAT(log.Lines()[0], Not(HasSubstr("very-secret")));

  for (int look = 0; look < 3; ++look) {
    std::remove(path_.c_str());
    ++seconds_;
    EXPECT_EQ(CallByUser(), absl::OkStatus());
  }
  ASSERT_EQ(log.Lines().size(), 2u);
  EXPECT_EQ(log.Lines()[1], "warning: policy file \"" + path_ +
                                "\": it cannot be read: No such file or directory; what was read before stays in use");
  ReplaceFile(path_, For("nobody"));
  ++seconds_;
  EXPECT_EQ(CallByUser().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(log.Lines().size(), 3u);
}

TEST_F(AuthorizerTest, FilesThatItDoesNotBeginWith) {
  const auto expect = [](const std::string& path, const std::string& text) {
    const absl::Status status = PolicyFileAuthorizer(path).status();
    EXPECT_EQ(status, absl::InvalidArgumentError("policy file \"" + path + "\": " + text));
  };
  expect("/nowhere.json", "it cannot be read: No such file or directory");
  expect(::testing::TempDir(), "it is no regular file");
  const std::string fifo = ::testing::TempDir() + "pagewire-policy-fifo-" + std::to_string(getpid());
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  expect(fifo, "it is no regular file");
  std::remove(fifo.c_str());
  expect(WriteFile(std::string((1 << 20) + 1, ' ')), "it is larger than the limit of 1048576 bytes");
  expect(WriteFile(Policy(R"("allow_rules": [])")), "the policy has no allow_rules, so that no call would be allowed");
}

TEST_F(AuthorizerTest, CallsOfManyThreadsWhileItChanges) {
  Serve(For("uid:*"));
  std::atomic<bool> stop = false;
  std::atomic<int> other = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      Blob::Stub stub(CreateChannel(server_->unix_target(), InsecureChannelCredentials()));
      while (!stop) {
        ClientContext context;
        const absl::StatusCode code = stub.Echo(context, BlobRequest()).status().code();
        if (code != absl::StatusCode::kOk && code != absl::StatusCode::kPermissionDenied) ++other;
        ++seconds_;
      }
    });
  }
  for (int i = 0; i < 100; ++i) ReplaceFile(path_, For(i % 2 == 0 ? "nobody" : "uid:*"));
  stop = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(other, 0);
  seconds_ += 2;
  EXPECT_EQ(CallByUser(), absl::OkStatus()) << "the last one counts";
}

}  // namespace
}  // namespace pagewire::testing
