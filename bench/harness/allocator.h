// Programs that run with another malloc than glibc's.
#pragma once

#include <string>

namespace pagewire::bench {

// Starts the program anew with that allocator, "malloc" or "tcmalloc", unless it runs with it. False, after a message:
// it is not installed, or there is no such one. First thing in main(): nothing is kept.
bool RunWithAllocator(const std::string& allocator, char** argv);

}  // namespace pagewire::bench
