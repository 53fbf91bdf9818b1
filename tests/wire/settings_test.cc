#include "wire/settings.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace pagewire::wire {
namespace {

SettingList List(const std::vector<std::pair<uint32_t, uint64_t>>& settings) {
  SettingList list;
  for (const auto& [id, value] : settings) {
    v1::Setting& setting = *list.Add();
    setting.set_id(id);
    setting.set_value(value);
  }
  return list;
}

TEST(SettingsTest, OursAndTheAssumedOnesAreInRange) {
  EXPECT_TRUE(CheckSettings(Settings{}).ok()) << CheckSettings(Settings{});
  EXPECT_TRUE(CheckSettings(AssumedSettings()).ok()) << CheckSettings(AssumedSettings());
}

// What may be sent unasked before the peer's preface has come must be allowed by every peer.
TEST(SettingsTest, NoPeerAllowsLessThanIsAssumed) {
  const Settings assumed = AssumedSettings();
  EXPECT_EQ(assumed.initial_connection_credit, 64u << 10);
  EXPECT_EQ(assumed.initial_call_credit, 16u << 10);
  EXPECT_LE(kMessagePartBytes, assumed.max_data_length);
  for (const SettingRule& rule : SettingRules()) {
    if (rule.id == SettingId::kMaxMessageSize || rule.id == SettingId::kMaxPayloadSize ||
        rule.id == SettingId::kMaxConcurrentCalls || rule.id == SettingId::kMaxMetadataSize) {
      continue;  // these refuse single calls
    }
    EXPECT_EQ(assumed.*rule.value, rule.minimum) << rule.name;
  }
}

TEST(SettingsTest, RoundTrip) {
  Settings sent;
  sent.initial_connection_credit = 1 << 30;
  sent.window = 3 << 20;
  sent.max_message_size = 0;
  sent.max_payload_size = 12345;
  sent.max_concurrent_calls = 1;
  SettingList list;
  AppendSettings(sent, list);
  Settings received = AssumedSettings();
  ASSERT_TRUE(ApplyPrefaceSettings(list, received).ok());
  EXPECT_EQ(received, sent);
}

TEST(SettingsTest, AssumedValuesNeedNotBeSaid) {
  SettingList list;
  AppendSettings(AssumedSettings(), list);
  EXPECT_EQ(list.size(), 0);
}

TEST(SettingsTest, EachHasItsRange) {
  for (const SettingRule& rule : SettingRules()) {
    Settings settings;
    if (rule.minimum > 0) {
      settings.*rule.value = rule.minimum - 1;
      EXPECT_EQ(CheckSettings(settings).code(), absl::StatusCode::kInvalidArgument) << rule.name;
    }
    settings.*rule.value = rule.maximum + 1;
    EXPECT_EQ(CheckSettings(settings).code(), absl::StatusCode::kInvalidArgument) << rule.name;
  }
  Settings settings;
  settings.window = (64 << 10) - 1;
  EXPECT_EQ(CheckSettings(settings),
            absl::InvalidArgumentError("settings: window 65535 is not within 65536 to 1073741824"));
}

TEST(SettingsTest, SomeMustAgree) {
  Settings settings;
  settings.max_chunk_length = (64 << 10) + 1;
  EXPECT_EQ(CheckSettings(settings),
            absl::InvalidArgumentError("settings: max_chunk_length 65537 is not a multiple of 4096"));
  settings = Settings{};
  settings.window = (1 << 20) - 1;
  EXPECT_EQ(CheckSettings(settings),
            absl::InvalidArgumentError("settings: max_chunk_length 1048576 exceeds window 1048575"));
}

TEST(SettingsTest, WhatAUserAskedForIsBroughtIntoRange) {
  EXPECT_EQ(ClampSettings(Settings{}), Settings{});
  Settings settings;
  for (const SettingRule& rule : SettingRules()) settings.*rule.value = 0;
  EXPECT_TRUE(CheckSettings(ClampSettings(settings)).ok());
  EXPECT_EQ(ClampSettings(settings).max_message_size, 0u);
  for (const SettingRule& rule : SettingRules()) settings.*rule.value = ~uint64_t{0};
  EXPECT_TRUE(CheckSettings(ClampSettings(settings)).ok());
  settings = Settings{};
  settings.window = 100'000;
  EXPECT_EQ(ClampSettings(settings).max_chunk_length, 98'304u);
}

TEST(SettingsTest, UnknownIds) {
  Settings settings = AssumedSettings();
  EXPECT_TRUE(ApplyPrefaceSettings(List({{0x8000, 7}, {0xffffffff, 9}, {0x8000, 8}}), settings).ok());
  EXPECT_EQ(settings, AssumedSettings());
  EXPECT_EQ(ApplyPrefaceSettings(List({{0x7fff, 7}}), settings),
            absl::InvalidArgumentError("settings: id 32767 is unknown, and ids below 32768 must be known"));
  EXPECT_EQ(ApplyPrefaceSettings(List({{0, 7}}), settings),
            absl::InvalidArgumentError("settings: id 0 is unknown, and ids below 32768 must be known"));
}

TEST(SettingsTest, OncePerList) {
  Settings settings = AssumedSettings();
  EXPECT_EQ(ApplyPrefaceSettings(List({{7, 1}, {7, 1}}), settings),
            absl::InvalidArgumentError("settings: max_message_size occurs twice"));
}

TEST(SettingsTest, AViolationChangesNothing) {
  Settings settings = AssumedSettings();
  EXPECT_FALSE(ApplyPrefaceSettings(List({{7, 1}, {3, 1}}), settings).ok());
  EXPECT_EQ(settings, AssumedSettings());
}

TEST(SettingsTest, LaterChanges) {
  Settings settings;
  ASSERT_TRUE(ApplySettingsFrame(List({{7, 99}, {9, 5}}), settings).ok());
  EXPECT_EQ(settings.max_message_size, 99u);
  EXPECT_EQ(settings.max_concurrent_calls, 5u);
  EXPECT_EQ(ApplySettingsFrame(List({{1, 8 << 20}}), settings),
            absl::InvalidArgumentError("settings: initial_connection_credit is set by the preface and cannot change"));
  EXPECT_EQ(ApplySettingsFrame(List({{2, 1 << 20}}), settings),
            absl::InvalidArgumentError("settings: initial_call_credit is set by the preface and cannot change"));
}

}  // namespace
}  // namespace pagewire::wire
