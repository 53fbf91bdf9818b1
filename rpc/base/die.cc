#include "base/die.h"

#include <pagewire/log.h>

#include <cstdlib>

namespace pagewire::base {

void Die(std::string_view message, const char* file, int line) {
  Log(LogSeverity::kError, message, file, line);
  std::abort();
}

}  // namespace pagewire::base
