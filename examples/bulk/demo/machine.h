// What this machine has room for.
#pragma once

#include <cstdint>
#include <string>

namespace bulk::demo {

// The largest file that can be moved, and which of the limits that is.
struct Room {
  uint64_t largest_file = 0;  // bytes
  std::string limit;          // "the held budget of 1024 MiB, a quarter of memory unless PAGEWIRE_HELD_BUDGET says ..."
};

// For files that are kept in `directory` while they are moved. Each file takes its size there twice, as source and in
// the store, and in memory twice, at the client and at the server.
Room MeasureRoom(const std::string& directory);

}  // namespace bulk::demo
