// The end of the process, for what cannot be reported in any other way.
#pragma once

#include <string_view>

namespace pagewire::base {

// Logs `message` as an error and aborts.
[[noreturn]] void Die(std::string_view message, const char* file = __builtin_FILE(), int line = __builtin_LINE());

}  // namespace pagewire::base
