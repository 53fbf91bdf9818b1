// Options of sockets that a library makes and does not show.
#pragma once

namespace pagewire::bench {

// All TCP sockets that this process has use the congestion control cubic, and so do those that its listeners will
// accept. The framework does that for connections within a host, and what it is worth must not be counted against a
// library that cannot. Does nothing where cubic is missing.
void UseCubicOnAllSockets();

}  // namespace pagewire::bench
