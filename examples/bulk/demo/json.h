// The figures for programs.
#pragma once

#include <string>
#include <vector>

#include "bulk/demo/figures.h"

namespace bulk::demo {

// {"runs": [{"send_path", "receive_path", "bytes", "verified", "gb_per_s", "client_cpu_us_per_mb",
// "server_cpu_us_per_mb", "mapped_fraction", "kernel_copied_fraction", "copied_bytes_by_reason": {}}]}, with the names
// of the paths that were asked for and of the reasons that occurred. What the values are: figures.h.
std::string ToJson(const std::vector<Figures>& runs);

}  // namespace bulk::demo
