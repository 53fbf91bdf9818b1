// How much memory this process may use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pagewire::base {

// The machine's memory in bytes.
uint64_t MachineMemoryBytes();

// The machine's memory in bytes, or the limit of the process's cgroup (version 1 or 2) or of a cgroup above it, if that
// is lower. Read at each call.
uint64_t UsableMemoryBytes();

// The lowest memory limit of the cgroups that `self_cgroup` (the text of /proc/self/cgroup) names and those above them,
// in the hierarchies mounted at `mount` (/sys/fs/cgroup); nullopt when there is none or nothing can be read.
std::optional<uint64_t> CgroupMemoryLimit(std::string_view self_cgroup, const std::string& mount);

}  // namespace pagewire::base
