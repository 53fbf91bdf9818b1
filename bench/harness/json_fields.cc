#include "harness/json_fields.h"

#include <cstdio>

namespace pagewire::bench {

std::string JsonField(const std::string& name, double value, int digits) {
  char number[64];
  std::snprintf(number, sizeof(number), "%.*f", digits, value);
  return ", \"" + name + "\": " + number;
}

std::string JsonField(const std::string& name, uint64_t value) {
  return ", \"" + name + "\": " + std::to_string(value);
}

std::string JsonField(const std::string& name, int value) { return ", \"" + name + "\": " + std::to_string(value); }

std::string JsonField(const std::string& name, const std::string& value) {
  return ", \"" + name + "\": \"" + value + "\"";
}

}  // namespace pagewire::bench
