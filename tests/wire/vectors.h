// Reads the test vectors. Their format is in vectors/README.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pagewire::wire {

// One thing that a case's bytes hold.
struct ExpectedEvent {
  std::string head = {};  // "PING ACK", "skipped 0x80"; "versions 1 1" of a preface
  std::string body = {};  // text format
  std::string data = {};  // bytes
  uint32_t chunk = 0;
  uint32_t follow = 0;

  friend bool operator==(const ExpectedEvent&, const ExpectedEvent&) = default;
};

struct Vector {
  std::string name = {};
  std::string bytes = {};
  bool canonical = true;
  std::vector<ExpectedEvent> events = {};
  std::string error = {};  // "INVALID_ARGUMENT PING: ..."; empty: none
};

// All cases of vectors/`file`. Aborts with a message when the file does not follow the format.
std::vector<Vector> ReadVectors(std::string_view file);

// For GoogleTest: prints a case by its name, and makes a test's name of it.
void PrintTo(const Vector& vector, std::ostream* out);
std::string TestName(const Vector& vector);

}  // namespace pagewire::wire
