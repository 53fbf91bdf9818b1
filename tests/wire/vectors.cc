#include "wire/vectors.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ostream>

namespace pagewire::wire {
namespace {

// Where in which file, for messages.
struct Place {
  std::string file;
  int line = 0;
};

[[noreturn]] void Fail(const Place& place, absl::string_view problem) {
  std::fprintf(stderr, "%s:%d: %s\n", place.file.c_str(), place.line, std::string(problem).c_str());
  std::abort();
}

uint32_t Number(const Place& place, absl::string_view text) {
  uint32_t number = 0;
  if (!absl::SimpleAtoi(text, &number)) Fail(place, "not a number");
  return number;
}

std::string Bytes(const Place& place, absl::string_view text) {
  const std::vector<std::string> uncommented = absl::StrSplit(text, absl::MaxSplits('#', 1));
  const std::vector<std::string> words = absl::StrSplit(uncommented[0], ' ', absl::SkipEmpty());
  std::string bytes;
  for (const std::string& word : words) {
    const std::vector<std::string> parts = absl::StrSplit(word, '*');
    if (parts[0].size() != 2 || parts.size() > 2)
      Fail(place, "a byte is two hexadecimal digits, with *COUNT or without");
    const size_t count = parts.size() == 2 ? Number(place, parts[1]) : 1;
    bytes.append(count, absl::HexStringToBytes(parts[0])[0]);
  }
  return bytes;
}

void ReadLine(const Place& place, const std::string& key, const std::string& value, std::vector<Vector>& vectors) {
  if (key == "case") {
    vectors.push_back({.name = value});
    return;
  }
  if (vectors.empty()) Fail(place, "a line before the first case");
  Vector& vector = vectors.back();
  if (key == "bytes") {
    vector.bytes += Bytes(place, value);
  } else if (key == "canonical") {
    vector.canonical = value != "no";
  } else if (key == "error") {
    vector.error = value;
  } else if (key == "frame") {
    vector.events.push_back({.head = value});
  } else if (key == "skipped" || key == "versions") {
    vector.events.push_back({.head = absl::StrCat(key, " ", value)});
  } else if (vector.events.empty()) {
    Fail(place, absl::StrCat("\"", key, "\" before a frame"));
  } else if (key == "body") {
    vector.events.back().body = value;
  } else if (key == "data") {
    vector.events.back().data = Bytes(place, value);
  } else if (key == "chunk") {
    vector.events.back().chunk = Number(place, value);
  } else if (key == "follow") {
    vector.events.back().follow = Number(place, value);
  } else {
    Fail(place, absl::StrCat("unknown key \"", key, "\""));
  }
}

}  // namespace

std::vector<Vector> ReadVectors(std::string_view file) {
  Place place{std::string(PAGEWIRE_VECTORS_DIR "/").append(file)};
  std::ifstream in(place.file);
  if (!in) Fail(place, "cannot be opened");
  std::vector<Vector> vectors;
  for (std::string line; std::getline(in, line);) {
    ++place.line;
    if (line.empty() || line[0] == '#') continue;
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.size() != 2) Fail(place, "not KEY: VALUE");
    ReadLine(place, parts[0], std::string(absl::StripLeadingAsciiWhitespace(parts[1])), vectors);
  }
  if (vectors.empty()) Fail(place, "holds no case");
  return vectors;
}

void PrintTo(const Vector& vector, std::ostream* out) { *out << vector.name; }

std::string TestName(const Vector& vector) {
  std::string name;
  for (const char c : vector.name) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

}  // namespace pagewire::wire
