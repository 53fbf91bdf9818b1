#include "client/dns_resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "client/answers.h"
#include "client/fake_dns_server.h"

namespace pagewire::client {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class DnsResolverTest : public testing::Test {
 protected:
  DnsResolverTest() {
    options_.lookup.servers = server_.address();
    options_.min_interval = absl::ZeroDuration();
    options_.initial_backoff = absl::Milliseconds(1);
    options_.max_backoff = absl::Milliseconds(1);
  }

  // A final dot keeps the machine's search domains away.
  std::unique_ptr<Resolver> Resolve(const std::string& target = "dns:///blobs.test.:7070") {
    const auto parsed = transport::ParseTarget(target);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return std::make_unique<DnsResolver>(*loop_, *parsed, options_, answers_.Callback());
  }

  // A lookup that is under way swallows what is asked meanwhile.
  void RefreshUntilTold(Resolver& resolver) {
    while (answers_.empty()) {
      resolver.Refresh();
      std::this_thread::yield();
    }
  }

  FakeDnsServer server_;
  std::unique_ptr<transport::EpollLoop> loop_ = *transport::EpollLoop::Create();
  DnsResolverOptions options_;
  Answers answers_;
};

TEST_F(DnsResolverTest, FindsAddressesOfBothFamilies) {
  server_.Answer({.ipv4 = {"10.1.2.3", "10.1.2.4"}, .ipv6 = {"2001:db8::7"}});
  const auto resolver = Resolve();
  const auto answer = answers_.Next();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->addresses,
              UnorderedElementsAre("ipv4:10.1.2.3:7070", "ipv4:10.1.2.4:7070", "ipv6:[2001:db8::7]:7070"));
  EXPECT_EQ(answer->service_config, std::nullopt);
}

TEST_F(DnsResolverTest, OneFamilyIsEnough) {
  server_.Answer({.ipv4 = {}, .ipv6 = {"2001:db8::7"}});
  const auto resolver = Resolve();
  const auto answer = answers_.Next();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->addresses, ElementsAre("ipv6:[2001:db8::7]:7070"));
}

TEST_F(DnsResolverTest, AnAddressThatIsSaidTwiceIsOne) {
  server_.Answer({.ipv4 = {"10.1.2.3", "10.1.2.3"}, .ipv6 = {}});
  const auto resolver = Resolve();
  const auto answer = answers_.Next();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->addresses, ElementsAre("ipv4:10.1.2.3:7070"));
}

TEST_F(DnsResolverTest, AnswersThatDoNotFitGoByTcp) {
  FakeDnsServer::Records records;
  for (int i = 0; i < 100; ++i) records.ipv4.push_back("10.1.2." + std::to_string(i));
  for (int i = 0; i < 100; ++i) records.ipv6.push_back("2001:db8::" + std::to_string(i));
  server_.AnswerByTcpOnly(records);
  const auto resolver = Resolve();
  const auto answer = answers_.Next();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->addresses.size(), 200u);
}

TEST_F(DnsResolverTest, RefreshTellsWhatChangedAndNothingElse) {
  server_.Answer({.ipv4 = {"10.1.2.3"}, .ipv6 = {}});
  const auto resolver = Resolve();
  ASSERT_TRUE(answers_.Next().ok());
  const int before = server_.questions();
  resolver->Refresh();
  server_.WaitForQuestions(before + 2);
  server_.Answer({.ipv4 = {"10.1.2.4"}, .ipv6 = {}});
  RefreshUntilTold(*resolver);
  const auto answer = answers_.Next();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->addresses, ElementsAre("ipv4:10.1.2.4:7070"));
}

TEST_F(DnsResolverTest, NoSuchName) {
  server_.AnswerWithError(3);
  const auto resolver = Resolve();
  EXPECT_EQ(answers_.Next().status(),
            absl::UnavailableError("cannot look up \"blobs.test.\" of dns:///blobs.test.:7070: Domain name not found"));
}

TEST_F(DnsResolverTest, NoAddress) {
  server_.Answer({});
  const auto resolver = Resolve();
  EXPECT_EQ(answers_.Next().status(),
            absl::UnavailableError(
                "cannot look up \"blobs.test.\" of dns:///blobs.test.:7070: DNS server returned answer with no data"));
}

TEST_F(DnsResolverTest, AServerThatFails) {
  server_.AnswerWithError(2);
  const auto resolver = Resolve();
  EXPECT_EQ(answers_.Next().status(),
            absl::UnavailableError("cannot look up \"blobs.test.\" of dns:///blobs.test.:7070: "
                                   "Could not contact DNS servers, or each of them reported a failure"));
}

TEST_F(DnsResolverTest, AMalformedReply) {
  server_.AnswerWithGarbage();
  const auto resolver = Resolve();
  EXPECT_EQ(
      answers_.Next().status(),
      absl::UnavailableError("cannot look up \"blobs.test.\" of dns:///blobs.test.:7070: Misformatted DNS reply"));
}

TEST_F(DnsResolverTest, NoReply) {
  options_.lookup.timeout = absl::Milliseconds(20);
  const auto resolver = Resolve();
  EXPECT_EQ(answers_.Next().status(),
            absl::UnavailableError("cannot look up \"blobs.test.\" of dns:///blobs.test.:7070: no answer within 20ms"));
}

TEST_F(DnsResolverTest, NoServer) {
  { options_.lookup.servers = FakeDnsServer().address(); }
  const auto resolver = Resolve();
  EXPECT_EQ(answers_.Next().status(),
            absl::UnavailableError("cannot look up \"blobs.test.\" of dns:///blobs.test.:7070: "
                                   "Could not contact DNS servers, or each of them reported a failure"));
}

TEST_F(DnsResolverTest, AfterAFailureItLooksAgainByItself) {
  server_.AnswerWithError(3);
  const auto resolver = Resolve();
  ASSERT_EQ(answers_.Next().status().code(), absl::StatusCode::kUnavailable);
  ASSERT_EQ(answers_.Next().status().code(), absl::StatusCode::kUnavailable);
  server_.Answer({.ipv4 = {"10.1.2.3"}, .ipv6 = {}});
  const auto answer = answers_.Next([](const auto& next) { return next.ok(); });
  EXPECT_THAT(answer->addresses, ElementsAre("ipv4:10.1.2.3:7070"));
}

TEST_F(DnsResolverTest, WhatIsTheSameAfterAFailureIsToldAgain) {
  server_.Answer({.ipv4 = {"10.1.2.3"}, .ipv6 = {}});
  const auto resolver = Resolve();
  const auto first = answers_.Next();
  server_.AnswerWithError(3);
  RefreshUntilTold(*resolver);
  server_.Answer({.ipv4 = {"10.1.2.3"}, .ipv6 = {}});
  const auto again = answers_.Next([](const auto& next) { return next.ok(); });
  EXPECT_EQ(*first, *again);
}

TEST_F(DnsResolverTest, HostsFileComesFirst) {
  server_.AnswerWithError(3);
  const auto resolver = Resolve("localhost:7070");
  const auto answer = answers_.Next();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->addresses, Contains("ipv4:127.0.0.1:7070"));
  EXPECT_EQ(server_.questions(), 0);
}

TEST_F(DnsResolverTest, DestructionWhileAQuestionIsOut) {
  auto resolver = Resolve();
  server_.WaitForQuestions(1);
  resolver.reset();
  EXPECT_TRUE(answers_.empty());
}

TEST_F(DnsResolverTest, DestructionAfterItsLoop) {
  const auto resolver = Resolve();
  server_.WaitForQuestions(1);
  loop_->Stop();
}

TEST_F(DnsResolverTest, DestructionWaitsForTheCallback) {
  server_.Answer({.ipv4 = {"10.1.2.3"}, .ipv6 = {}});
  std::promise<void> entered, leave;
  std::atomic<bool> left = false;
  auto resolver = std::make_unique<DnsResolver>(*loop_, *transport::ParseTarget("blobs.test.:1"), options_,
                                                [&](const absl::StatusOr<Resolution>&) {
                                                  entered.set_value();
                                                  leave.get_future().wait();
                                                  left = true;
                                                });
  entered.get_future().wait();
  std::thread destroyer([&] {
    resolver.reset();
    EXPECT_TRUE(left);
  });
  leave.set_value();
  destroyer.join();
}

TEST_F(DnsResolverTest, ProductionHasALoopOfItsOwn) {
  const auto resolver = MakeDnsResolver(*transport::ParseTarget("localhost:7070"), answers_.Callback());
  const auto answer = answers_.Next();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->addresses, Contains("ipv4:127.0.0.1:7070"));
}

}  // namespace
}  // namespace pagewire::client
