#include "transport/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pagewire::transport {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string TargetAddress(std::string_view text) {
  const auto target = ParseTarget(text);
  if (!target.ok()) return target.status().ToString();
  if (target->addresses.empty()) return "name " + target->host + " " + std::to_string(target->port);
  std::string addresses;
  for (const SocketAddress& address : target->addresses)
    addresses += (addresses.empty() ? "" : " ") + address.ToString();
  return addresses;
}

TEST(ParseTarget, Literals) {
  EXPECT_EQ(TargetAddress("ipv4:1.2.3.4:5"), "ipv4:1.2.3.4:5");
  EXPECT_EQ(TargetAddress("1.2.3.4:65535"), "ipv4:1.2.3.4:65535");
  EXPECT_EQ(TargetAddress("ipv6:[::1]:5"), "ipv6:[::1]:5");
  EXPECT_EQ(TargetAddress("[fe80:0::1]:00080"), "ipv6:[fe80::1]:80");
  EXPECT_EQ(TargetAddress("[::ffff:1.2.3.4]:5"), "ipv6:[::ffff:1.2.3.4]:5");
  EXPECT_EQ(TargetAddress("[fe80::1%lo]:5"), "ipv6:[fe80::1%lo]:5");
  EXPECT_EQ(TargetAddress("dns:///127.0.0.1:80"), "ipv4:127.0.0.1:80");
  EXPECT_EQ(TargetAddress("unix:/run/x"), "unix:/run/x");
  EXPECT_EQ(TargetAddress("unix:///run/x"), "unix:/run/x");
  EXPECT_EQ(TargetAddress("unix:name"), "unix:name");
}

TEST(ParseTarget, ListsOfAddresses) {
  EXPECT_EQ(TargetAddress("ipv4:1.2.3.4:5,6.7.8.9:10"), "ipv4:1.2.3.4:5 ipv4:6.7.8.9:10");
  EXPECT_EQ(TargetAddress("ipv6:[::1]:5,[::2]:6,[::3]:7"), "ipv6:[::1]:5 ipv6:[::2]:6 ipv6:[::3]:7");
}

TEST(ParseTarget, WhatItPrintsIsATarget) {
  for (const char* text : {"ipv4:1.2.3.4:5", "ipv6:[::1]:5", "ipv6:[fe80::1%lo]:5", "unix:/run/x"}) {
    EXPECT_EQ(TargetAddress(TargetAddress(text)), text);
  }
}

TEST(ParseTarget, Names) {
  EXPECT_EQ(TargetAddress("localhost:80"), "name localhost 80");
  EXPECT_EQ(TargetAddress("dns:///a-b.example.com:443"), "name a-b.example.com 443");
  EXPECT_EQ(TargetAddress("dns:host_1:1"), "name host_1 1");
  EXPECT_EQ(ParseTarget("dns:host:1")->text, "dns:host:1");
}

constexpr char kForms[] =
    "; expected \"host:port\", \"dns:///host:port\", \"ipv4:1.2.3.4:port\", \"ipv6:[::1]:port\" or \"unix:/path\"";

void ExpectBadTarget(std::string_view text, const std::string& why) {
  EXPECT_EQ(ParseTarget(text).status(),
            absl::InvalidArgumentError("\"" + std::string(text) + "\" is not a target: " + why + kForms));
}

TEST(ParseTarget, SaysWhatIsWrong) {
  ExpectBadTarget("", "the port is missing");
  ExpectBadTarget("ipv4:1.2.3.4:5,", "the port is missing");
  ExpectBadTarget("ipv4:,1.2.3.4:5", "the port is missing");
  ExpectBadTarget("ipv4:1.2.3.4:5,host:6", "the host must be an IPv4 address such as 1.2.3.4");
  ExpectBadTarget("ipv4:1.2.3.4:5,[::1]:6", "the host must be an IPv4 address such as 1.2.3.4");
  ExpectBadTarget("1.2.3.4:5,1.2.3.4:6", "it has several colons, and IPv6 addresses need brackets");
  ExpectBadTarget("localhost", "the port is missing");
  ExpectBadTarget("[::1]", "the port is missing");
  ExpectBadTarget("[::1]80", "the port is missing");
  ExpectBadTarget("[::1:80", "\"]\" is missing");
  ExpectBadTarget("::1", "it has several colons, and IPv6 addresses need brackets");
  ExpectBadTarget("http://host:80", "it has several colons, and IPv6 addresses need brackets");
  ExpectBadTarget(":80", "the host is missing");
  ExpectBadTarget("[]:80", "the host is missing");
  ExpectBadTarget("a b:80", "host names have letters, digits, '-', '.' and '_' only");
  ExpectBadTarget("host/path:80", "host names have letters, digits, '-', '.' and '_' only");
  ExpectBadTarget("[localhost]:80", "there is no IPv6 address in the brackets");
  ExpectBadTarget("[fe80::1%no-such-interface]:80", "there is no IPv6 address in the brackets");
  ExpectBadTarget("ipv4:localhost:80", "the host must be an IPv4 address such as 1.2.3.4");
  ExpectBadTarget("ipv4:[::1]:80", "the host must be an IPv4 address such as 1.2.3.4");
  ExpectBadTarget("ipv6:1.2.3.4:80", "the host must be an IPv6 address in brackets such as [::1]");
  ExpectBadTarget("ipv6:[1.2.3.4]:80", "the host must be an IPv6 address in brackets such as [::1]");
  ExpectBadTarget("dns://8.8.8.8/host:80", "name servers of its own are not supported: write dns:///host:port");
  for (const char* port : {"", "0", "65536", "99999999999999999999", "+1", "-1", " 1", "1 ", "0x10", "http"}) {
    ExpectBadTarget(std::string("host:") + port, "the port must be a number from 1 to 65535");
  }
  ExpectBadTarget("unix:", "the path is missing");
  ExpectBadTarget("unix:/" + std::string(107, 'x'), "the path has 108 bytes, the system's limit is 107");
  EXPECT_EQ(TargetAddress("unix:/" + std::string(106, 'x')), "unix:/" + std::string(106, 'x'));
}

TEST(ParseTarget, QuotesWhatCannotBePrinted) {
  EXPECT_THAT(std::string(ParseTarget(std::string_view("unix:a\0/", 8)).status().message()),
              HasSubstr("\"unix:a\\x00/\" is not a target: the path has a zero byte in it"));
  EXPECT_THAT(std::string(ParseTarget("ho\nst:1").status().message()), HasSubstr("\"ho\\nst:1\" is not a target: "));
}

TEST(ParseListeningAddress, TakesOneAddress) {
  EXPECT_THAT(std::string(ParseListeningAddress("ipv4:1.2.3.4:5,1.2.3.4:6").status().message()),
              HasSubstr("one address at a time"));
}

TEST(ParseListeningAddress, AllowsPortZero) {
  EXPECT_EQ(ParseListeningAddress("127.0.0.1:0")->addresses.at(0).ToString(), "ipv4:127.0.0.1:0");
  EXPECT_EQ(ParseListeningAddress("0.0.0.0:0")->addresses.at(0).ToString(), "ipv4:0.0.0.0:0");
  EXPECT_EQ(ParseListeningAddress("[::]:0")->addresses.at(0).ToString(), "ipv6:[::]:0");
  EXPECT_EQ(ParseListeningAddress("ipv4:127.0.0.1:7")->addresses.at(0).ToString(), "ipv4:127.0.0.1:7");
  EXPECT_EQ(ParseListeningAddress("unix:/run/x")->addresses.at(0).ToString(), "unix:/run/x");
  EXPECT_EQ(ParseListeningAddress("localhost:0")->host, "localhost");
  EXPECT_EQ(ParseListeningAddress("host:65536").status(),
            absl::InvalidArgumentError("\"host:65536\" is not a listening address: the port must be a number from 0 to "
                                       "65535" +
                                       std::string(kForms)));
}

TEST(Resolve, ALiteralIsItsOwnAnswer) {
  const auto addresses = Resolve(*ParseTarget("ipv4:1.2.3.4:5"));
  ASSERT_TRUE(addresses.ok());
  ASSERT_EQ(addresses->size(), 1u);
  EXPECT_EQ(addresses->front().ToString(), "ipv4:1.2.3.4:5");
}

TEST(Resolve, LocalhostIsThisHost) {
  const auto addresses = Resolve(*ParseTarget("localhost:7"));
  ASSERT_EQ(addresses.status(), absl::OkStatus());
  std::vector<std::string> texts;
  for (const SocketAddress& address : *addresses) {
    EXPECT_TRUE(address.is_loopback()) << address.ToString();
    texts.push_back(address.ToString());
  }
  EXPECT_THAT(texts, Contains(::testing::AnyOf("ipv4:127.0.0.1:7", "ipv6:[::1]:7")));
}

TEST(Resolve, AnUnknownNameIsUnavailable) {
  // A label of more than 63 characters is no name, so nobody needs to be asked.
  const std::string name(70, 'x');
  const auto addresses = Resolve(*ParseTarget(name + ":7"));
  EXPECT_EQ(addresses.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(addresses.status().message()),
              HasSubstr("cannot look up \"" + name + "\" of " + name + ":7: "));
}

TEST(SocketAddress, KnowsLoopbackAndAny) {
  const auto address = [](std::string_view text) { return ParseListeningAddress(text)->addresses.at(0); };
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix:x"}) {
    EXPECT_TRUE(address(text).is_loopback()) << text;
  }
  for (const char* text : {"128.0.0.1:1", "0.0.0.0:1", "[::]:1", "[::2]:1", "[::ffff:1.2.3.4]:1"}) {
    EXPECT_FALSE(address(text).is_loopback()) << text;
  }
  EXPECT_TRUE(address("0.0.0.0:1").is_any());
  EXPECT_TRUE(address("[::]:1").is_any());
  EXPECT_FALSE(address("127.0.0.1:1").is_any());
  EXPECT_FALSE(address("unix:x").is_any());
}

TEST(SocketAddress, ComparesHosts) {
  const auto same = [](std::string_view a, std::string_view b) {
    return ParseTarget(a)->addresses.at(0).SameHost(ParseTarget(b)->addresses.at(0));
  };
  EXPECT_TRUE(same("10.0.0.1:1", "10.0.0.1:2"));
  EXPECT_FALSE(same("10.0.0.1:1", "10.0.0.2:1"));
  EXPECT_TRUE(same("[fe80::1]:1", "[fe80::1]:2"));
  EXPECT_FALSE(same("[fe80::1]:1", "[fe80::1%lo]:1"));
  EXPECT_FALSE(same("127.0.0.1:1", "[::1]:1"));
  EXPECT_TRUE(same("unix:a", "unix:b"));
  EXPECT_FALSE(SocketAddress().SameHost(SocketAddress()));
}

TEST(SocketAddress, NothingIsUnknown) {
  EXPECT_EQ(SocketAddress().ToString(), "unknown");
  EXPECT_EQ(SocketAddress::LocalOf(-1).family(), AF_UNSPEC);
  EXPECT_EQ(SocketAddress::PeerOf(-1).family(), AF_UNSPEC);
}

}  // namespace
}  // namespace pagewire::transport
