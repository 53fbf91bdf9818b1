// Somebody who reads, changes or cuts what is on its way; and somebody on the same host who shares the pages.

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "security/secure_server.h"
#include "security/tapped_wire.h"

namespace pagewire::testing {
namespace {

using test::Blob;
using test::BlobRequest;

constexpr char kToken[] = "token-7f3a91";
constexpr char kName[] = "name-7f3a92";
constexpr char kContent[] = "content-7f3a93";
constexpr size_t kPayloadBytes = 1'000'000;

class WireTest : public ::testing::Test {
 protected:
  // A token, a message and a payload, which come back.
  absl::StatusOr<WithPayload<test::BlobReply>> Call(const TappedWire& wire,
                                                    std::shared_ptr<ChannelCredentials> credentials) {
    ChannelOptions options;
    options.call_credentials = AccessTokenCallCredentials(kToken);
    options.allow_call_credentials_on_plain_connections = true;
    Blob::Stub stub(
        CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(wire.port()), std::move(credentials), options));
    ClientContext context;
    BlobRequest request;
    request.set_name(kName);
    std::string content;
    while (content.size() < kPayloadBytes) content += kContent;
    return stub.Swap(context, request, Payload::FromCord(absl::Cord(content)));
  }

  SecureServer server_;
};

TEST_F(WireTest, WithoutTlsEverythingIsReadable) {
  const TappedWire wire(server_.plain_port());
  ASSERT_TRUE(Call(wire, InsecureChannelCredentials()).ok());
  for (const char* text : {kToken, kName, kContent, "/pagewire.test.Blob/Swap"}) {
    EXPECT_NE(wire.Seen().find(text), std::string::npos) << text;
  }
}

TEST_F(WireTest, OverTlsNothingIs) {
  const TappedWire wire(server_.tls_port());
  ASSERT_TRUE(Call(wire, server_.Credentials()).ok());
  const std::string seen = wire.Seen();
  EXPECT_GT(seen.size(), kPayloadBytes);
  for (const char* text : {kToken, kName, kContent, "/pagewire.test.Blob/Swap"}) {
    EXPECT_EQ(seen.find(text), std::string::npos) << text;
  }
}

TEST_F(WireTest, OverTlsAChangedByteEndsTheConnection) {
  const TappedWire wire(server_.tls_port(), TappedWire::Mischief::kFlip, kPayloadBytes / 2);
  EXPECT_EQ(Call(wire, server_.Credentials()).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(WireTest, OverTlsACutIsNoEnd) {
  const TappedWire wire(server_.tls_port(), TappedWire::Mischief::kCut, kPayloadBytes / 2);
  EXPECT_EQ(Call(wire, server_.Credentials()).status().code(), absl::StatusCode::kUnavailable);
}

// A sender on this host that sends pages by reference can still write to them afterwards.
TEST(SharedPagesTest, WhoCopiesKeepsWhatItGot) {
  test::BlobService service;
  int port = 0;
  ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", InsecureServerCredentials(), &port).RegisterService(&service);
  builder.SetReceivePath(ReceivePath::kCopy);
  const std::unique_ptr<Server> server = builder.BuildAndStart().value();
  ChannelOptions options;
  options.send_path = SendPath::kSplice;
  Blob::Stub stub(CreateCustomChannel("ipv4:127.0.0.1:" + std::to_string(port), InsecureChannelCredentials(), options));
  PayloadBuffer buffer = PayloadBuffer::Allocate(kPayloadBytes);
  char* const data = buffer.data();
  std::memset(data, 'a', kPayloadBytes);
  const Payload payload = std::move(buffer).Freeze();
  ClientContext context;
  ASSERT_TRUE(stub.Keep(context, BlobRequest(), payload).ok());
  EXPECT_EQ(context.transfer_report().sent.send_path, SendPath::kSplice);
  std::memset(data, 'b', kPayloadBytes);
  const std::vector<Payload> kept = service.TakeKept();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_TRUE(kept[0].ToCord() == absl::Cord(std::string(kPayloadBytes, 'a')));
}

}  // namespace
}  // namespace pagewire::testing
