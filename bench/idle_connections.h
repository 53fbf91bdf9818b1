// What connections cost that carry nothing: memory of a server, in a process of its own, for each of them.
#pragma once

namespace pagewire::bench {

// Prints one line of JSON. 0 when all connections were there and answered a call. Before anything else of the library
// is used: it forks.
int RunIdleConnections(int connections);

}  // namespace pagewire::bench
