// Registrations and resolvers with a real etcd between them.
#include <pagewire/etcd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "client/answers.h"
#include "client/resolver_registry.h"
#include "etcd/child_process.h"
#include "etcd/etcd_resolver.h"
#include "etcd/etcd_server.h"
#include "etcd/service_key.h"
#include "transport/epoll_loop.h"

namespace pagewire::etcd {
namespace {

using testing::ElementsAre;
using Addresses = std::vector<std::string>;

class DiscoveryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!EtcdServer::Installed()) GTEST_SKIP() << EtcdServer::kProgram << " is not installed";
    etcd_.emplace();
  }

  std::unique_ptr<EtcdRegistration> Register(const std::string& address, absl::Duration ttl = absl::Seconds(60)) {
    auto entry = EtcdRegistration::Register(etcd_->options(), "blobs", address, ttl);
    EXPECT_TRUE(entry.ok()) << entry.status();
    return entry.ok() ? *std::move(entry) : nullptr;
  }

  std::unique_ptr<Resolver> Resolve() {
    return std::make_unique<EtcdResolver>(*CurlLoop::Shared(), etcd_->options(), "blobs", answers_.Callback());
  }

  void ExpectNext(const Addresses& addresses) {
    const auto answer = answers_.Next();
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ(answer->addresses, addresses);
    EXPECT_EQ(answer->service_config, std::nullopt);
  }

  void WaitFor(const Addresses& addresses) {
    answers_.Next([&](const auto& answer) { return answer.ok() && answer->addresses == addresses; }).IgnoreError();
  }

  void ExpectNextNone() {
    EXPECT_EQ(answers_.Next().status(), absl::UnavailableError("no server is registered for \"blobs\""));
  }

  // Until it has more time than it had before. etcd says whole seconds, so the lease must have some.
  void WaitForKeepAlive(const std::string& address) {
    const std::string key = EntryKey("blobs", address);
    for (int64_t before = etcd_->SecondsLeft(etcd_->LeaseOf(key));;) {
      const int64_t now = etcd_->SecondsLeft(etcd_->LeaseOf(key));
      if (now > before && before >= 0) return;
      before = now;
      usleep(50'000);
    }
  }

  std::optional<EtcdServer> etcd_;
  client::Answers answers_;
};

TEST_F(DiscoveryTest, ServersComeAndGo) {
  const auto resolver = Resolve();
  ExpectNextNone();
  auto first = Register("10.0.0.1:7070");
  ExpectNext({"ipv4:10.0.0.1:7070"});
  auto second = Register("ipv6:[2001:db8::1]:7070");
  ExpectNext({"ipv4:10.0.0.1:7070", "ipv6:[2001:db8::1]:7070"});
  auto third = Register("unix:/run/blobs");
  ExpectNext({"ipv4:10.0.0.1:7070", "ipv6:[2001:db8::1]:7070", "unix:/run/blobs"});
  EXPECT_EQ(first->Deregister(), absl::OkStatus());
  EXPECT_EQ(first->Deregister(), absl::OkStatus());
  ExpectNext({"ipv6:[2001:db8::1]:7070", "unix:/run/blobs"});
  third.reset();
  ExpectNext({"ipv6:[2001:db8::1]:7070"});
  second.reset();
  ExpectNextNone();
}

TEST_F(DiscoveryTest, ALaterResolverSeesWhatIsThere) {
  const auto first = Register("10.0.0.1:7070");
  const auto second = Register("10.0.0.2:7070");
  const auto resolver = Resolve();
  ExpectNext({"ipv4:10.0.0.1:7070", "ipv4:10.0.0.2:7070"});
}

TEST_F(DiscoveryTest, OtherServicesAreOthers) {
  auto other = EtcdRegistration::Register(etcd_->options(), "blobs2", "10.0.0.9:7070", absl::Seconds(60));
  ASSERT_TRUE(other.ok()) << other.status();
  const auto resolver = Resolve();
  ExpectNextNone();
  const auto mine = Register("10.0.0.1:7070");
  ExpectNext({"ipv4:10.0.0.1:7070"});
}

TEST_F(DiscoveryTest, EntriesThatAreNoAddressesAreLeftOut) {
  etcd_->Put(ServicePrefix("blobs") + "nonsense", "");
  etcd_->Put(ServicePrefix("blobs") + "host:7070", "");
  etcd_->Put(ServicePrefix("blobs") + "10.0.0.1:7070", "not canonical");
  etcd_->Put(ServicePrefix("blobs") + "ipv4:10.0.0.1:1,10.0.0.2:2", "");
  const auto resolver = Resolve();
  ExpectNextNone();
  etcd_->Put(ServicePrefix("blobs") + "\xff", "");
  etcd_->Delete(ServicePrefix("blobs") + "nonsense");
  etcd_->Put(ServicePrefix("blobs") + "ipv4:10.0.0.3:7070", "by hand");
  ExpectNext({"ipv4:10.0.0.3:7070"});
}

TEST_F(DiscoveryTest, AServerThatDiesDisappears) {
  const auto resolver = Resolve();
  ExpectNextNone();
  ChildProcess server({REGISTRAR, etcd_->options().endpoints.front(), "blobs", "10.0.0.1:7070", "6"}, STDERR_FILENO);
  ExpectNext({"ipv4:10.0.0.1:7070"});
  WaitForKeepAlive("ipv4:10.0.0.1:7070");
  server.Kill();
  ExpectNextNone();
}

TEST_F(DiscoveryTest, ARestartOfEtcdLosesNothing) {
  const auto resolver = Resolve();
  ExpectNextNone();
  const auto first = Register("10.0.0.1:7070", absl::Seconds(6));
  ExpectNext({"ipv4:10.0.0.1:7070"});
  etcd_->Kill();
  EXPECT_TRUE(answers_.empty());
  etcd_->Start();
  const auto second = Register("10.0.0.2:7070");
  // The first may be gone for a moment, if etcd was away for long.
  WaitFor({"ipv4:10.0.0.1:7070", "ipv4:10.0.0.2:7070"});
  WaitForKeepAlive("ipv4:10.0.0.1:7070");
}

TEST_F(DiscoveryTest, AnEtcdThatForgotEverythingIsToldAgain) {
  const auto resolver = Resolve();
  ExpectNextNone();
  const auto entry = Register("10.0.0.1:7070", absl::Seconds(6));
  ExpectNext({"ipv4:10.0.0.1:7070"});
  etcd_->Kill();
  etcd_->ForgetEverything();
  etcd_->Start();
  while (etcd_->LeaseOf(EntryKey("blobs", "ipv4:10.0.0.1:7070")) == 0) usleep(50'000);
  const auto second = Register("10.0.0.2:7070");
  WaitFor({"ipv4:10.0.0.1:7070", "ipv4:10.0.0.2:7070"});
}

TEST_F(DiscoveryTest, ALeaseThatWasTakenAwayIsFollowedByAnother) {
  const auto resolver = Resolve();
  ExpectNextNone();
  const auto entry = Register("10.0.0.1:7070", absl::Seconds(10));
  ExpectNext({"ipv4:10.0.0.1:7070"});
  const int64_t lease = etcd_->LeaseOf(EntryKey("blobs", "ipv4:10.0.0.1:7070"));
  ASSERT_TRUE(etcd_->Ask("/v3/lease/revoke", "{\"ID\":\"" + std::to_string(lease) + "\"}").ok());
  ExpectNextNone();
  ExpectNext({"ipv4:10.0.0.1:7070"});
  EXPECT_NE(etcd_->LeaseOf(EntryKey("blobs", "ipv4:10.0.0.1:7070")), lease);
}

TEST_F(DiscoveryTest, ARestartedServerKeepsItsEntryWhenTheOldOneGoes) {
  auto old = Register("10.0.0.1:7070");
  const auto restarted = Register("10.0.0.1:7070");
  old.reset();
  EXPECT_NE(etcd_->LeaseOf(EntryKey("blobs", "ipv4:10.0.0.1:7070")), 0);
}

TEST_F(DiscoveryTest, DeregisteringWithoutEtcdFails) {
  const auto entry = Register("10.0.0.1:7070");
  etcd_->Kill();
  const absl::Status status = entry->Deregister();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), testing::StartsWith("no etcd answers: http://127.0.0.1:"));
}

TEST_F(DiscoveryTest, AnEndpointThatIsGoneIsPassedOver) {
  EtcdOptions options = etcd_->options();
  options.endpoints.insert(options.endpoints.begin(), "http://127.0.0.1:1");
  const auto entry = EtcdRegistration::Register(options, "blobs", "10.0.0.1:7070", absl::Seconds(60));
  ASSERT_TRUE(entry.ok()) << entry.status();
  const EtcdResolver resolver(*CurlLoop::Shared(), options, "blobs", answers_.Callback());
  ExpectNext({"ipv4:10.0.0.1:7070"});
}

TEST_F(DiscoveryTest, TheRegisteredResolverFollowsTargets) {
  ASSERT_EQ(RegisterEtcdResolver(etcd_->options()), absl::OkStatus());
  EXPECT_EQ(RegisterEtcdResolver(etcd_->options()),
            absl::AlreadyExistsError("a resolver for targets with \"etcd:\" is registered already"));
  const auto factory = client::FindResolver("etcd");
  ASSERT_NE(factory, nullptr);
  const auto refused = (*factory)("etcd:///a/b", answers_.Callback());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  const auto resolver = (*factory)("etcd:///blobs", answers_.Callback());
  ASSERT_TRUE(resolver.ok()) << resolver.status();
  ExpectNextNone();
  const auto entry = Register("10.0.0.1:7070");
  ExpectNext({"ipv4:10.0.0.1:7070"});
  (*resolver)->Refresh();
}

class SecureDiscoveryTest : public DiscoveryTest {
 protected:
  void SetUp() override {
    if (!EtcdServer::Installed()) GTEST_SKIP() << EtcdServer::kProgram << " is not installed";
    etcd_.emplace(EtcdServer::Security::kMutualTls);
  }
};

TEST_F(SecureDiscoveryTest, BothSidesHaveCertificates) {
  const auto resolver = Resolve();
  ExpectNextNone();
  const auto entry = Register("10.0.0.1:7070");
  ExpectNext({"ipv4:10.0.0.1:7070"});
}

TEST_F(SecureDiscoveryTest, AnEtcdOfAnotherAuthorityIsRefused) {
  EtcdOptions options = etcd_->options();
  options.ca_file.replace(options.ca_file.rfind('/'), std::string::npos, "/other.pem");
  const EtcdResolver resolver(*CurlLoop::Shared(), options, "blobs", answers_.Callback());
  EXPECT_THAT(std::string(answers_.Next().status().message()),
              testing::HasSubstr("SSL certificate problem: unable to get local "
                                 "issuer certificate"));
}

TEST_F(SecureDiscoveryTest, AClientWithoutCertificateIsRefused) {
  EtcdOptions options = etcd_->options();
  options.certificate_file = options.key_file = "";
  const EtcdResolver resolver(*CurlLoop::Shared(), options, "blobs", answers_.Callback());
  // Only that: TLS 1.3 refuses after the handshake, when curl may be sending already.
  EXPECT_EQ(answers_.Next().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(SecureDiscoveryTest, FilesThatAreNotThereAreNamed) {
  EtcdOptions options = etcd_->options();
  options.certificate_file = "/nowhere/client.pem";
  const EtcdResolver resolver(*CurlLoop::Shared(), options, "blobs", answers_.Callback());
  EXPECT_THAT(std::string(answers_.Next().status().message()), testing::HasSubstr("/nowhere/client.pem"));
}

}  // namespace
}  // namespace pagewire::etcd
