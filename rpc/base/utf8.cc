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

// U+0000 to U+001F but the line feed, and U+007F to U+009F: terminals obey U+009B as they do "\x1b[".
bool IsControl(std::string_view character) {
  if (character.size() == 2) return character[0] == '\xC2' && static_cast<uint8_t>(character[1]) < 0xA0;
  return character.size() == 1 &&
         ((static_cast<uint8_t>(character[0]) < 0x20 && character[0] != '\n') || character[0] == 0x7F);
}

}  // namespace

std::string PrintableUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const std::string_view character = text.substr(0, length == 0 ? 1 : length);
    if (length == 0 || IsControl(character)) {
      out += '?';
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

}  // namespace pagewire::base
