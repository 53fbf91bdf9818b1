// Results are lines of JSON, put together from fields that each begin with a comma.
#pragma once

#include <cstdint>
#include <string>

namespace pagewire::bench {

std::string JsonField(const std::string& name, double value, int digits = 3);
std::string JsonField(const std::string& name, uint64_t value);
std::string JsonField(const std::string& name, int value);
std::string JsonField(const std::string& name, const std::string& value);  // without anything to escape

}  // namespace pagewire::bench
