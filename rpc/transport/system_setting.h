// The kernel's settings under /proc/sys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pagewire::transport {

// The first number in /proc/sys/`name`, for example "net/core/rmem_max". Nothing when there is no such setting, as in a
// container without /proc, or some settings in a network namespace.
std::optional<int64_t> ReadSystemSetting(const std::string& name);

}  // namespace pagewire::transport
