// What the kernel says about this process's memory.
#pragma once

#include <cstddef>
#include <string>

namespace pagewire::testing {

// How many of the pages of [data, data + bytes) are in memory. `data` is at the start of a page.
size_t ResidentPages(const void* data, size_t bytes);

// The number of mappings.
size_t CountMappings();

// Whether the mapping that `data` lies in is advised to use huge pages.
bool WantsHugePages(const void* data);

}  // namespace pagewire::testing
