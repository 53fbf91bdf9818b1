// The flags that every program has.
#pragma once

#include <absl/flags/declare.h>

#include <string>

#include "harness/load.h"

ABSL_DECLARE_FLAG(std::string, workload);
ABSL_DECLARE_FLAG(std::string, form);
ABSL_DECLARE_FLAG(double, seconds);
ABSL_DECLARE_FLAG(bool, list);

namespace pagewire::bench {

// Of the flags; what a workload does not have is 0.
Options OptionsOfFlags();

// Says what is wrong, and gives the exit code for it.
int WrongUsage(const std::string& message);

// Prints a result, and writes it to the file that --json names. A result that is empty was an error. The exit code.
int PrintResult(const std::string& result);

}  // namespace pagewire::bench
