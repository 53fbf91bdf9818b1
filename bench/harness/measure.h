// One measurement: warms up, lets the callers run for the time asked for, and says what they did and what it cost.
#pragma once

#include <functional>
#include <string>

#include "harness/load.h"
#include "harness/usage.h"

namespace pagewire::bench {

// The result as one line of JSON, or empty after an error that was printed. `program` and `version` are its first and
// last fields; `server_usage` is what the server's process has used so far.
std::string Measure(const Options& options, const std::string& program, const std::string& version, Client& client,
                    const std::function<Usage()>& server_usage);

}  // namespace pagewire::bench
