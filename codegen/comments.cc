#include "codegen/comments.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/string_view.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace pagewire::codegen {
namespace {

struct Character {
  uint32_t code = 0;
  size_t bytes = 0;  // 0: not UTF-8
};

// The first character of `text`, which is not empty. Overlong forms, surrogates and codes above U+10FFFF are not UTF-8.
Character Decode(absl::string_view text) {
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t bytes = lead >= 0xf8 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  if (bytes == 0 || bytes > text.size()) return {};
  uint32_t code = lead & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    code = code << 6 | (next & 0x3f);
  }
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kSmallest[bytes] || code > 0x10ffff || surrogate) return {};
  return {code, bytes};
}

// Left-to-right and right-to-left embeddings, overrides and isolates: compilers warn of them, for good reason.
bool ReordersText(uint32_t code) { return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069); }

std::string Printable(absl::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const Character next = Decode(text);
    if (next.bytes == 0) {
      printable += "\xef\xbf\xbd";
    } else if (next.code < 0x20 || next.code == 0x7f) {
      printable += ' ';
    } else if (ReordersText(next.code)) {
      absl::StrAppend(&printable, "<U+", absl::AsciiStrToUpper(absl::StrCat(absl::Hex(next.code))), ">");
    } else {
      printable.append(text.data(), next.bytes);
    }
    text.remove_prefix(next.bytes == 0 ? 1 : next.bytes);
  }
  return printable;
}

std::string CommentLine(absl::string_view text) {
  std::string line = Printable(text);
  absl::StripTrailingAsciiWhitespace(&line);
  // "/", "!" and "<" continue the mark of a documentation comment.
  if (!line.empty() && !absl::StrContains(" /!<", line.substr(0, 1))) line.insert(0, " ");
  // A backslash at the end, or the trigraph for it, would make the next line a comment too.
  if (absl::EndsWith(line, "\\") || absl::EndsWith(line, "?\?/")) line += " //";
  return absl::StrCat("//", line);
}

void PrintBlock(const std::string& text, google::protobuf::io::Printer& printer) {
  for (const std::string& line : CommentLines(text)) {
    printer.PrintRaw(line);
    printer.Print("\n");
  }
}

}  // namespace

std::vector<std::string> CommentLines(const std::string& text) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) lines.push_back(CommentLine(line));
  const auto has_text = [](const std::string& line) { return line != "//"; };
  lines.erase(std::find_if(lines.rbegin(), lines.rend(), has_text).base(), lines.end());
  lines.erase(lines.begin(), std::find_if(lines.begin(), lines.end(), has_text));
  return lines;
}

void PrintComments(const Comments& comments, google::protobuf::io::Printer& printer) {
  for (const std::string& detached : comments.detached) {
    PrintBlock(detached, printer);
    printer.Print("\n");
  }
  PrintBlock(comments.leading, printer);
  PrintBlock(comments.trailing, printer);
}

}  // namespace pagewire::codegen
