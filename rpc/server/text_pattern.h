// What policies compare texts with.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace pagewire::server {

// "abc" is that text, "abc*" one that begins with it, "*abc" one that ends with it, "*" any but the empty one.
class TextPattern {
 public:
  // INVALID_ARGUMENT for a * elsewhere; the message does not show the text.
  static absl::StatusOr<TextPattern> Parse(std::string_view text);

  bool Matches(std::string_view value) const;

 private:
  enum class Kind { kWhole, kBeginning, kEnd, kPresence };

  TextPattern(Kind kind, std::string_view text) : kind_(kind), text_(text) {}

  Kind kind_;
  std::string text_;
};

}  // namespace pagewire::server
