// A thousand streams on one connection, one of which is not read: what the others keep of their throughput.
#pragma once

#include <cstdint>

namespace pagewire::bench {

struct StuckReaderOptions {
  int streams = 1000;
  int rounds = 5;
  uint64_t payload_bytes = 0;  // with each message; 0: messages alone
};

// Prints one line of JSON: the ratio of the others' throughput while one reader is stuck to that while none is, median,
// least and most of the rounds.
int RunStuckReader(const StuckReaderOptions& options);

}  // namespace pagewire::bench
