#include "wire/settings.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

#include "base/string_view.h"

namespace pagewire::wire {
namespace {

constexpr bool kFixed = true;

// 64 KiB of connection credit: four calls of the largest size that a call may have unasked can start before the peer's
// preface has come, and what a thousand idle connections reserve is 64 MiB. 16 KiB of call credit: nearly every request
// message, in one frame of kMessagePartBytes. 32 KiB of body: gRPC's default for metadata, 8 KiB, in any number of
// pairs that a client would send, and room for a status with details. 64 KiB of window: the smallest chunk that is
// worth a frame of its own.
constexpr SettingRule kRules[] = {
    {SettingId::kInitialConnectionCredit, "initial_connection_credit", &Settings::initial_connection_credit, 64 << 10,
     uint64_t{1} << 40, kFixed},
    {SettingId::kInitialCallCredit, "initial_call_credit", &Settings::initial_call_credit, 16 << 10, uint64_t{1} << 40,
     kFixed},
    {SettingId::kWindow, "window", &Settings::window, 64 << 10, 1 << 30, !kFixed},
    {SettingId::kMaxBodyLength, "max_body_length", &Settings::max_body_length, 32 << 10, 1 << 20, !kFixed},
    {SettingId::kMaxDataLength, "max_data_length", &Settings::max_data_length, kMessagePartBytes, 64 << 10, !kFixed},
    {SettingId::kMaxChunkLength, "max_chunk_length", &Settings::max_chunk_length, 64 << 10, 1 << 20, !kFixed},
    {SettingId::kMaxMessageSize, "max_message_size", &Settings::max_message_size, 0, kMaxBytes, !kFixed},
    {SettingId::kMaxPayloadSize, "max_payload_size", &Settings::max_payload_size, 0, kMaxBytes, !kFixed},
    {SettingId::kMaxConcurrentCalls, "max_concurrent_calls", &Settings::max_concurrent_calls, 0, 0xffffffff, !kFixed},
    {SettingId::kMaxMetadataSize, "max_metadata_size", &Settings::max_metadata_size, 0, kMaxBytes, !kFixed},
};

absl::Status Violation(const std::string& text) { return absl::InvalidArgumentError(absl::StrCat("settings: ", text)); }

const SettingRule* FindRule(uint32_t id) {
  const auto* rule = std::find_if(std::begin(kRules), std::end(kRules),
                                  [id](const SettingRule& row) { return static_cast<uint32_t>(row.id) == id; });
  return rule == std::end(kRules) ? nullptr : rule;
}

absl::Status Apply(const SettingList& list, bool from_preface, Settings& settings) {
  Settings changed = settings;
  uint64_t seen = 0;
  for (const v1::Setting& setting : list) {
    const SettingRule* rule = FindRule(setting.id());
    if (rule == nullptr) {
      if (setting.id() >= kFirstIgnorableSetting) continue;
      return Violation(
          absl::StrCat("id ", setting.id(), " is unknown, and ids below ", kFirstIgnorableSetting, " must be known"));
    }
    const uint64_t bit = uint64_t{1} << setting.id();
    if ((seen & bit) != 0) return Violation(absl::StrCat(base::ToAbsl(rule->name), " occurs twice"));
    seen |= bit;
    if (rule->fixed && !from_preface) {
      return Violation(absl::StrCat(base::ToAbsl(rule->name), " is set by the preface and cannot change"));
    }
    changed.*rule->value = setting.value();
  }
  if (absl::Status status = CheckSettings(changed); !status.ok()) return status;
  settings = changed;
  return absl::OkStatus();
}

}  // namespace

absl::Span<const SettingRule> SettingRules() { return kRules; }

Settings AssumedSettings() {
  Settings settings;
  for (const SettingRule& rule : kRules) settings.*rule.value = rule.minimum;
  // These refuse single calls. Without word from the peer nothing is refused beforehand.
  settings.max_message_size = 4 << 20;
  settings.max_payload_size = kMaxBytes;
  settings.max_concurrent_calls = 100;
  settings.max_metadata_size = 8 << 10;
  return settings;
}

absl::Status CheckSettings(const Settings& settings) {
  for (const SettingRule& rule : kRules) {
    const uint64_t value = settings.*rule.value;
    if (value < rule.minimum || value > rule.maximum) {
      return Violation(
          absl::StrCat(base::ToAbsl(rule.name), " ", value, " is not within ", rule.minimum, " to ", rule.maximum));
    }
  }
  if (settings.max_chunk_length % kChunkUnit != 0) {
    return Violation(
        absl::StrCat("max_chunk_length ", settings.max_chunk_length, " is not a multiple of ", kChunkUnit));
  }
  if (settings.max_chunk_length > settings.window) {
    return Violation(absl::StrCat("max_chunk_length ", settings.max_chunk_length, " exceeds window ", settings.window));
  }
  return absl::OkStatus();
}

Settings ClampSettings(Settings settings) {
  for (const SettingRule& rule : kRules) {
    settings.*rule.value = std::clamp(settings.*rule.value, rule.minimum, rule.maximum);
  }
  settings.max_chunk_length = std::min(settings.max_chunk_length, settings.window);
  settings.max_chunk_length -= settings.max_chunk_length % kChunkUnit;
  return settings;
}

void AppendSettings(const Settings& settings, SettingList& list) {
  const Settings assumed = AssumedSettings();
  for (const SettingRule& rule : kRules) {
    if (settings.*rule.value == assumed.*rule.value) continue;
    v1::Setting& setting = *list.Add();
    setting.set_id(static_cast<uint32_t>(rule.id));
    setting.set_value(settings.*rule.value);
  }
}

absl::Status ApplyPrefaceSettings(const SettingList& list, Settings& settings) { return Apply(list, true, settings); }

absl::Status ApplySettingsFrame(const SettingList& list, Settings& settings) { return Apply(list, false, settings); }

}  // namespace pagewire::wire
