#include "wire/preface.h"

#include <gtest/gtest.h>

#include "wire/preface_decoder.h"

namespace pagewire::wire {
namespace {

constexpr std::string_view kId = "0123456789abcdef";
constexpr bool kInitiator = true;

Preface Ours(std::string_view id = kId) { return MakePreface(id, 0, 0, Settings{}, "us"); }
Preface Peers(std::string_view id = kId) { return MakePreface(id, 0, 0, AssumedSettings(), "them"); }

Preface Versions(uint16_t min, uint16_t max) {
  Preface preface = Peers();
  preface.min_version = min;
  preface.max_version = max;
  return preface;
}

TEST(PrefaceTest, AnAgentIsCutWhereItIsTooLong) {
  const Preface preface = MakePreface(kId, 0, 0, Settings{}, std::string(1000, 'a'));
  std::string bytes;
  AppendPreface(preface, bytes);
  PrefaceDecoder decoder;
  const absl::StatusOr<size_t> consumed = decoder.Decode(bytes);
  ASSERT_TRUE(consumed.ok()) << consumed.status();
  EXPECT_EQ(decoder.preface().body.agent(), std::string(kMaxAgentBytes, 'a'));
}

TEST(PrefaceTest, HighestCommonVersion) {
  Preface own = Versions(1, 3);
  EXPECT_EQ(Negotiate(own, Versions(1, 1), !kInitiator)->version, 1);
  EXPECT_EQ(Negotiate(own, Versions(2, 9), !kInitiator)->version, 3);
  EXPECT_EQ(Negotiate(own, Versions(3, 3), !kInitiator)->version, 3);
}

TEST(PrefaceTest, NoCommonVersion) {
  EXPECT_EQ(
      Negotiate(Ours(), Versions(2, 3), !kInitiator).status(),
      absl::FailedPreconditionError("preface: no common protocol version: this side speaks 1 to 1, the peer 2 to 3"));
  EXPECT_EQ(
      Negotiate(Versions(4, 5), Versions(2, 3), !kInitiator).status(),
      absl::FailedPreconditionError("preface: no common protocol version: this side speaks 4 to 5, the peer 2 to 3"));
}

// A later version may have settings that this one must know: the version is what the user is told about.
TEST(PrefaceTest, TheVersionIsLookedAtFirst) {
  Preface peer = Versions(2, 2);
  peer.body.add_settings()->set_id(0x7000);
  EXPECT_EQ(Negotiate(Ours(), peer, !kInitiator).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(PrefaceTest, FeaturesThatBothHave) {
  Preface own = Ours();
  own.body.set_features(kFeatureCrc32c | kFeaturePiecewise);
  Preface peer = Peers();
  peer.body.set_features(kFeatureCrc32c | kFeatureXxh3 | uint64_t{1} << 63);
  EXPECT_EQ(Negotiate(own, peer, !kInitiator)->features, kFeatureCrc32c);
}

TEST(PrefaceTest, ThePeersSettings) {
  Settings settings;
  settings.window = 7 << 20;
  const Preface peer = MakePreface(kId, 0, 0, settings, "them");
  EXPECT_EQ(Negotiate(Ours(), peer, !kInitiator)->peer, settings);
  EXPECT_EQ(Negotiate(Ours(), Peers(), !kInitiator)->peer, AssumedSettings());
}

TEST(PrefaceTest, SettingsOutOfRange) {
  Preface peer = Peers();
  v1::Setting& window = *peer.body.add_settings();
  window.set_id(static_cast<uint32_t>(SettingId::kWindow));
  window.set_value(5);
  EXPECT_EQ(Negotiate(Ours(), peer, !kInitiator).status(),
            absl::InvalidArgumentError("settings: window 5 is not within 65536 to 1073741824"));
}

TEST(PrefaceTest, SessionIds) {
  EXPECT_TRUE(Negotiate(Ours(), Peers(), kInitiator).ok());
  EXPECT_TRUE(Negotiate(Ours(), Peers(""), kInitiator).ok());
  EXPECT_EQ(Negotiate(Ours(), Peers("fedcba9876543210"), kInitiator).status(),
            absl::InvalidArgumentError("preface: session_id is not the one that this side chose"));
  EXPECT_TRUE(Negotiate(Ours(""), Peers(), !kInitiator).ok());
  EXPECT_EQ(Negotiate(Ours(""), Peers(""), !kInitiator).status(),
            absl::InvalidArgumentError("preface: session_id has 0 bytes instead of 16"));
  EXPECT_EQ(Negotiate(Ours(""), Peers("short"), !kInitiator).status(),
            absl::InvalidArgumentError("preface: session_id has 5 bytes instead of 16"));
}

TEST(PrefaceTest, LanesAreChosenByTheInitiator) {
  Preface peer = Peers();
  peer.body.set_lane_id(4);
  EXPECT_TRUE(Negotiate(Ours(), peer, !kInitiator).ok());
  EXPECT_EQ(Negotiate(Ours(), peer, kInitiator).status(),
            absl::InvalidArgumentError("preface: lane_id 4 from the accepting side, which sends 0"));
}

TEST(PrefaceDecoderTest, AViolationIsForEver) {
  PrefaceDecoder decoder;
  const absl::Status first = decoder.Decode("GET / HTTP/1.1\r\n").status();
  EXPECT_EQ(first, absl::InvalidArgumentError("preface: the peer speaks HTTP/1 (\"GET / HT\")"));
  EXPECT_EQ(decoder.Decode(kMagic).status(), first);
}

TEST(PrefaceDecoderTest, TakesNothingOnceDone) {
  std::string bytes;
  AppendPreface(Ours(), bytes);
  PrefaceDecoder decoder;
  ASSERT_EQ(*decoder.Decode(bytes), bytes.size());
  EXPECT_EQ(*decoder.Decode("frames"), 0u);
  EXPECT_EQ(decoder.wanted(), 0u);
}

}  // namespace
}  // namespace pagewire::wire
