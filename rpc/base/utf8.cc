#include "base/utf8.h"

#include <cstdint>

namespace pagewire::base {
namespace {

struct Range {
  uint8_t first = 0x80;
  uint8_t last = 0xBF;
  bool Has(uint8_t byte) const { return first <= byte && byte <= last; }
};

// How many bytes follow a first one, and what the second may be: that excludes overlong forms, surrogates and what is
// above U+10FFFF.
struct Lead {
  int following = -1;  // not a first byte
  Range second = {};
};

Lead LeadOf(uint8_t byte) {
  if (byte < 0x80) return {0, {}};
  if (byte < 0xC2) return {};
  if (byte < 0xE0) return {1, {}};
  if (byte < 0xF0)
    return {2, {byte == 0xE0 ? uint8_t{0xA0} : uint8_t{0x80}, byte == 0xED ? uint8_t{0x9F} : uint8_t{0xBF}}};
  if (byte < 0xF5)
    return {3, {byte == 0xF0 ? uint8_t{0x90} : uint8_t{0x80}, byte == 0xF4 ? uint8_t{0x8F} : uint8_t{0xBF}}};
  return {};
}

// The length of the character at the beginning of `text`, which is not empty; 0: it is none.
size_t CharacterLength(std::string_view text) {
  const Lead lead = LeadOf(static_cast<uint8_t>(text[0]));
  if (lead.following < 0 || text.size() <= static_cast<size_t>(lead.following)) return 0;
  for (int i = 1; i <= lead.following; ++i) {
    const Range allowed = i == 1 ? lead.second : Range();
    if (!allowed.Has(static_cast<uint8_t>(text[i]))) return 0;
  }
  return 1 + lead.following;
}

bool IsControl(char c) { return (static_cast<uint8_t>(c) < 0x20 && c != '\n') || c == 0x7F; }

}  // namespace

std::string PrintableUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    if (length == 0 || IsControl(text[0])) {
      out += '?';
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace pagewire::base
