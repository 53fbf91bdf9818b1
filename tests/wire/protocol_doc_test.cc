// docs/protocol.md says what the code does: its tables, its list of violations, its worked example.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <fstream>
#include <sstream>

#include "base/string_view.h"
#include "wire/frame_type.h"
#include "wire/settings.h"
#include "wire/vectors.h"
#include "wire/worked_example.h"

namespace pagewire::wire {
namespace {

using ::testing::HasSubstr;

std::string ReadDoc() {
  std::ifstream in(PAGEWIRE_SOURCE_DIR "/docs/protocol.md");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// What stands between <!-- NAME: begin --> and <!-- NAME: end -->.
std::string Section(const std::string& doc, const std::string& name) {
  const std::string begin = absl::StrCat("<!-- ", name, ": begin -->\n");
  const size_t from = doc.find(begin);
  const size_t to = doc.find(absl::StrCat("<!-- ", name, ": end -->"));
  if (from == std::string::npos || to == std::string::npos) {
    ADD_FAILURE() << "docs/protocol.md has no section marked \"" << name << "\"";
    return "";
  }
  return doc.substr(from + begin.size(), to - from - begin.size());
}

TEST(ProtocolDocTest, WorkedExample) {
  const std::string expected = absl::StrCat("```\n", WorkedExample(), "```\n");
  EXPECT_EQ(Section(ReadDoc(), "worked example"), expected) << "the section should be:\n" << expected;
}

// wire.proto without its comments.
TEST(ProtocolDocTest, Schema) {
  std::ifstream in(PAGEWIRE_SOURCE_DIR "/proto/pagewire/wire.proto");
  std::string expected = "```proto\n";
  for (std::string line; std::getline(in, line);) {
    const absl::string_view text = absl::StripLeadingAsciiWhitespace(line);
    if (!text.empty() && !absl::StartsWith(text, "//")) absl::StrAppend(&expected, line, "\n");
  }
  absl::StrAppend(&expected, "```\n");
  EXPECT_EQ(Section(ReadDoc(), "schema"), expected);
}

TEST(ProtocolDocTest, FrameTypes) {
  const std::string table = Section(ReadDoc(), "frame types");
  for (uint8_t number = 1; KnownFrameType(number).has_value(); ++number) {
    EXPECT_THAT(
        table, HasSubstr(absl::StrCat("| 0x", absl::Hex(number, absl::kZeroPad2), " | ", FrameTypeName(number), " |")));
  }
}

TEST(ProtocolDocTest, Settings) {
  const std::string table = Section(ReadDoc(), "settings");
  const wire::Settings assumed = AssumedSettings();
  for (const SettingRule& rule : SettingRules()) {
    EXPECT_THAT(table,
                HasSubstr(absl::StrCat("| ", static_cast<uint32_t>(rule.id), " | ", base::ToAbsl(rule.name), " | ",
                                       rule.minimum, " | ", rule.maximum, " | ", assumed.*rule.value, " |")));
  }
}

TEST(ProtocolDocTest, CopyReasons) {
  const std::string table = Section(ReadDoc(), "copy reasons");
  for (int number = 1; number < v1::CopyReason_ARRAYSIZE; ++number) {
    const std::string& name = v1::CopyReason_Name(number);
    EXPECT_THAT(table, HasSubstr(absl::StrCat("| ", number, " | ", absl::StripPrefix(name, "COPY_REASON_"), " |")));
  }
}

// A row of a table of violations, whose first two cells are `MESSAGE` and CODE. In a message TYPE, FIELD, N and TEXT
// stand for what differs.
struct Row {
  std::string text;
  std::string pattern;  // an extended regular expression for "CODE MESSAGE"
  bool used = false;
};

// What `word` of a row's message matches.
std::string WordPattern(absl::string_view word) {
  if (word == "TYPE") return "([A-Z_]+|frame type 0x[0-9a-f]+)";
  if (word == "FIELD") return "[a-z_.]+";
  if (word == "N") return "(-?[0-9]+|0x[0-9a-f]+)";
  if (word == "TEXT") return ".*";
  return std::string(word);
}

std::string MessagePattern(absl::string_view message) {
  std::string pattern;
  while (!message.empty()) {
    size_t length = 0;
    while (length < message.size() && (absl::ascii_isalnum(message[length]) || message[length] == '_')) ++length;
    if (length > 0) {
      pattern += WordPattern(message.substr(0, length));
    } else {
      length = 1;
      absl::StrAppend(&pattern, "[", message.substr(0, 1), "]");
    }
    message.remove_prefix(length);
  }
  return pattern;
}

std::vector<Row> ReadRows(const std::string& section) {
  std::vector<Row> rows;
  const std::vector<std::string> lines = absl::StrSplit(section, '\n');
  for (const std::string& line : lines) {
    const std::vector<std::string> cells = absl::StrSplit(line, " | ");
    if (cells.size() < 2 || !absl::StartsWith(cells[0], "| `")) continue;
    const absl::string_view text = absl::StripSuffix(absl::StripPrefix(cells[0], "| `"), "`");
    const absl::string_view code = absl::StripSuffix(cells[1], " |");
    rows.push_back({std::string(text), absl::StrCat(code, " ", MessagePattern(text))});
  }
  return rows;
}

class ProtocolDocViolations : public testing::TestWithParam<std::pair<const char*, const char*>> {};

// Every violation among the vectors has its row, and every row has a vector.
TEST_P(ProtocolDocViolations, MatchTheVectors) {
  const auto [name, file] = GetParam();
  std::vector<Row> rows = ReadRows(Section(ReadDoc(), name));
  for (const Vector& vector : ReadVectors(file)) {
    bool found = false;
    for (Row& row : rows) {
      if (!testing::Matches(testing::MatchesRegex(row.pattern))(vector.error)) continue;
      found = row.used = true;
    }
    EXPECT_TRUE(found) << "no row for: " << vector.error;
  }
  for (const Row& row : rows) EXPECT_TRUE(row.used) << "no vector for the row: " << row.text;
}

INSTANTIATE_TEST_SUITE_P(All, ProtocolDocViolations,
                         testing::Values(std::pair("violations in a frame", "violations.txt"),
                                         std::pair("violations in a preface", "preface_violations.txt")));

}  // namespace
}  // namespace pagewire::wire
