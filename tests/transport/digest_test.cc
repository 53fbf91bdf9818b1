// End-to-end digests of payloads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <xxhash.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "transport/connected.h"
#include "transport/payload_digest.h"
#include "wire/preface.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using wire::FrameType;

std::string Bytes(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 4096);
  return bytes;
}

wire::v1::Digest DigestOf(std::string_view bytes) {
  PayloadDigest digest;
  digest.Update(bytes.data(), bytes.size());
  return digest.Get();
}

SessionOptions Options(bool initiator, bool digests) {
  SessionOptions options = TestOptions(initiator);
  options.payload_digests = digests;
  return options;
}

Payload Of(const std::string& bytes) { return Payload::FromCord(absl::Cord(bytes)); }

TEST(PayloadDigestTest, IsXxh3InCanonicalOrderWhereverTheBytesAreCut) {
  const std::string bytes = Bytes(100'000);
  PayloadDigest in_parts;
  for (size_t at = 0; at < bytes.size(); at += 777)
    in_parts.Update(bytes.data() + at, std::min<size_t>(777, bytes.size() - at));
  EXPECT_EQ(in_parts.Get().value(), DigestOf(bytes).value());
  // Of nothing, as XXH3's own documentation has it.
  EXPECT_EQ(PayloadDigest::ToString(PayloadDigest().Get()), "99aa06d3014798d86001c324468d497f");
  EXPECT_TRUE(PayloadDigest::IsValid(PayloadDigest().Get()));
  EXPECT_EQ(PayloadDigest::Placeholder().ByteSizeLong(), DigestOf(bytes).ByteSizeLong());
  wire::v1::Digest shorter = DigestOf(bytes);
  shorter.mutable_value()->pop_back();
  EXPECT_FALSE(PayloadDigest::IsValid(shorter));
  EXPECT_FALSE(PayloadDigest::IsValid(wire::v1::Digest()));
}

class DigestTest : public ::testing::Test {
 protected:
  // A payload from a raw peer to an accepting session, with a digest of the test's own.
  void Receive(SessionAndPeer& connection, const std::string& bytes, const wire::v1::Digest* digest) {
    wire::Preface preface =
        wire::MakePreface(std::string(wire::kSessionIdBytes, 's'), 0, wire::kFeatureXxh3, DefaultSettings(), "test");
    connection.peer->Greet(preface);
    connection.peer->StartCall(1, "/s/M", "hello", 1);
    connection.session->TakeEvents();
    connection.peer->BeginPayload(1, 1, bytes.size());
    const size_t whole = bytes.size() / 4096 * 4096;
    for (size_t at = 0; at < whole; at += 8192) {
      connection.peer->Chunk(1, at, bytes.substr(at, std::min<size_t>(8192, whole - at)));
    }
    wire::v1::PayloadEnd end;
    end.set_payload_id(1);
    end.set_size(bytes.size());
    end.set_outcome(wire::v1::PayloadEnd::COMPLETE);
    if (digest != nullptr) *end.mutable_digest() = *digest;
    connection.peer->SendFrame(FrameType::kPayloadEnd, 0, end, std::string_view(bytes).substr(whole));
  }

  ManualLoop loop_;
};

TEST_F(DigestTest, TheRightOneIsNotNoticed) {
  for (const size_t size : {size_t{1}, size_t{4096}, size_t{20'481}, size_t{24'576}}) {
    SessionAndPeer connection(loop_, Options(false, true));
    const std::string bytes = Bytes(size);
    const wire::v1::Digest digest = DigestOf(bytes);
    Receive(connection, bytes, &digest);
    EXPECT_THAT(connection.session->TakeEvents(), ElementsAre("payload 1 " + std::to_string(size) + " bytes"));
  }
}

TEST_F(DigestTest, AnotherOneIsDataLossAndNamesThePayload) {
  for (const size_t changed : {size_t{0}, size_t{9000}, size_t{20'480}}) {
    SessionAndPeer connection(loop_, Options(false, true));
    const wire::v1::Digest digest = DigestOf(Bytes(20'481));
    std::string bytes = Bytes(20'481);
    bytes[changed] ^= 1;
    Receive(connection, bytes, &digest);
    EXPECT_THAT(
        connection.session->TakeEvents(),
        ElementsAre("no payload 1 DATA_LOSS: payload 1 of 20481 bytes changed on its way: its sender's digest is " +
                    PayloadDigest::ToString(digest) + ", that of what came is " +
                    PayloadDigest::ToString(DigestOf(bytes))));
    EXPECT_FALSE(connection.session->closed().has_value()) << "the connection goes on";
    connection.peer->Ping(1);
    EXPECT_THAT(connection.peer->Take<wire::v1::Ack>(),
                Not(Contains(::testing::ResultOf([](const auto& ack) { return ack.receipts_size(); }, 1))));
  }
}

TEST_F(DigestTest, NoneAlthoughItWasNegotiatedEndsTheConnection) {
  for (const bool malformed : {false, true}) {
    SessionAndPeer connection(loop_, Options(false, true));
    wire::v1::Digest digest = DigestOf(Bytes(10));
    digest.set_kind(wire::v1::Digest::CRC32C);
    Receive(connection, Bytes(10), malformed ? &digest : nullptr);
    ASSERT_TRUE(connection.session->closed().has_value());
    EXPECT_EQ(connection.session->closed()->code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(connection.session->closed()->message()),
                HasSubstr("PAYLOAD_END: payload 1 ends without an XXH3-128 digest, which was negotiated"));
  }
}

TEST_F(DigestTest, IsNotLookedAtUnlessBothSidesWantIt) {
  SessionAndPeer connection(loop_, Options(false, false));
  const wire::v1::Digest digest = DigestOf("of something else");
  Receive(connection, Bytes(5000), &digest);
  EXPECT_THAT(connection.session->TakeEvents(), ElementsAre("payload 1 5000 bytes"));
}

TEST_F(DigestTest, BetweenTwoSessions) {
  for (const bool client : {false, true}) {
    for (const bool server : {false, true}) {
      TwoSessions ends(loop_, Options(true, client), Options(false, server));
      const std::string bytes = Bytes(1'000'001);
      ends.client->StartCall("/s/M", "m", Of(bytes));
      loop_.RunUntilIdle();
      ASSERT_EQ(ends.server->payloads.size(), 1u);
      std::string came(ends.server->payloads[0].size(), '\0');
      ends.server->payloads[0].CopyTo(absl::MakeSpan(came));
      EXPECT_TRUE(came == bytes);
      EXPECT_EQ(ends.client->last_report().digest, client && server);
    }
  }
}

}  // namespace
}  // namespace pagewire::transport::testing
