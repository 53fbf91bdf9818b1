#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <pagewire/tracing.h>

#include <algorithm>
#include <random>
#include <vector>

#include "admin/trace_metadata.h"

namespace pagewire {
namespace {

constexpr size_t kTextSize = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2
constexpr size_t kMaxTraceState = 512;
constexpr uint8_t kSampled = 0x01;

// Lower case only.
std::optional<uint8_t> Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

// False if `text`, twice as long as `out`, is not hexadecimal.
template <size_t kSize>
bool ReadHex(std::string_view text, std::array<uint8_t, kSize>& out) {
  for (size_t i = 0; i < kSize; ++i) {
    const auto high = Digit(text[2 * i]), low = Digit(text[2 * i + 1]);
    if (!high.has_value() || !low.has_value()) return false;
    out[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return true;
}

template <size_t kSize>
void AppendHex(const std::array<uint8_t, kSize>& bytes, std::string& out) {
  for (const uint8_t byte : bytes) absl::StrAppend(&out, absl::Hex(byte, absl::kZeroPad2));
}

template <size_t kSize>
bool IsZero(const std::array<uint8_t, kSize>& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

// A bijection of 64-bit numbers, and the step of its argument: SplitMix64 (Steele, Lea, Flood: Fast Splittable
// Pseudorandom Number Generators, 2014).
constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

uint64_t SystemSeed() {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}

template <typename Bytes>
void Store(uint64_t number, Bytes first) {
  for (int shift = 56; shift >= 0; shift -= 8) *first++ = static_cast<uint8_t>(number >> shift);
}

}  // namespace

bool SpanContext::valid() const { return !IsZero(trace_id) && !IsZero(span_id); }

std::optional<SpanContext> ParseTraceparent(std::string_view text) {
  if (text.size() < kTextSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  std::array<uint8_t, 1> version, flags;
  SpanContext context;
  if (!ReadHex(text.substr(0, 2), version) || !ReadHex(text.substr(3, 32), context.trace_id) ||
      !ReadHex(text.substr(36, 16), context.span_id) || !ReadHex(text.substr(53, 2), flags)) {
    return std::nullopt;
  }
  if (version[0] == 0xff || !context.valid()) return std::nullopt;
  const bool more = text.size() > kTextSize;
  if (more && (version[0] == 0 || text[kTextSize] != '-')) return std::nullopt;
  context.sampled = (flags[0] & kSampled) != 0;
  return context;
}

std::string FormatTraceparent(const SpanContext& context) {
  if (!context.valid()) return "";
  std::string text = "00-";
  AppendHex(context.trace_id, text);
  text += '-';
  AppendHex(context.span_id, text);
  return text += context.sampled ? "-01" : "-00";
}

SpanIds::SpanIds() : high_(SystemSeed()), low_(SystemSeed()) {}
SpanIds::SpanIds(uint64_t seed) : high_(seed), low_(Mix(seed + kStep)) {}

// Never 0, so that no id is all zeros.
uint64_t SpanIds::Next(std::atomic<uint64_t>& state) {
  for (;;) {
    const uint64_t next = Mix(state.fetch_add(kStep, std::memory_order_relaxed) + kStep);
    if (next != 0) return next;
  }
}

SpanContext SpanIds::Below(const SpanContext& parent, bool sample_new) {
  SpanContext context;
  if (parent.valid()) {
    context = parent;
  } else {
    context.sampled = sample_new;
    Store(Next(high_), context.trace_id.begin());
    Store(Next(low_), context.trace_id.begin() + 8);
  }
  Store(Next(low_), context.span_id.begin());
  return context;
}

SpanContext admin::ReadTrace(const Metadata& metadata) {
  if (metadata.count(kTraceparent) != 1) return {};
  std::optional<SpanContext> context = ParseTraceparent(metadata.find(kTraceparent)->second);
  if (!context.has_value()) return {};
  std::vector<std::string> states;
  const auto [first, last] = metadata.equal_range(kTracestate);
  for (auto it = first; it != last; ++it) states.push_back(it->second);
  context->trace_state = absl::StrJoin(states, ",");
  if (context->trace_state.size() > kMaxTraceState) context->trace_state.clear();
  return *std::move(context);
}

}  // namespace pagewire
