#include "server/text_pattern.h"

namespace pagewire::server {

absl::StatusOr<TextPattern> TextPattern::Parse(std::string_view text) {
  if (text == "*") return TextPattern(Kind::kPresence, "");
  Kind kind = Kind::kWhole;
  if (!text.empty() && text.front() == '*') {
    kind = Kind::kEnd;
    text.remove_prefix(1);
  } else if (!text.empty() && text.back() == '*') {
    kind = Kind::kBeginning;
    text.remove_suffix(1);
  }
  if (text.find('*') != std::string_view::npos) {
    return absl::InvalidArgumentError("a * may stand at the beginning or at the end only, and once");
  }
  return TextPattern(kind, text);
}

bool TextPattern::Matches(std::string_view value) const {
  switch (kind_) {
    case Kind::kWhole:
      return value == text_;
    case Kind::kBeginning:
      return value.substr(0, text_.size()) == text_;
    case Kind::kEnd:
      return value.size() >= text_.size() && value.substr(value.size() - text_.size()) == text_;
    case Kind::kPresence:
      break;
  }
  return !value.empty();
}

}  // namespace pagewire::server
