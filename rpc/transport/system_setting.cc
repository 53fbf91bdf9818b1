#include "transport/system_setting.h"

#include <fstream>

namespace pagewire::transport {

std::optional<int64_t> ReadSystemSetting(const std::string& name) {
  std::ifstream file("/proc/sys/" + name);
  int64_t value = 0;
  if (!(file >> value)) return std::nullopt;
  return value;
}

}  // namespace pagewire::transport
