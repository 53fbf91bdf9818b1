// How many bytes of received payloads this process may hold, and who holds them.
#pragma once

#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

namespace pagewire {

// Received payloads are charged to one budget per process; channels and servers may have smaller ones within it
// (ChannelOptions::held_budget_bytes, ServerBuilder::SetHeldBudgetBytes). A payload larger than the limit is refused
// with RESOURCE_EXHAUSTED; one that does not fit now waits, first come first served, until its call's deadline. A
// payload is charged until its last handle is gone; a slice is charged for the memory it keeps (Payload::Slice).
//
// Beside it connections have an eighth of the initial limit for messages on their way and for what a peer may send
// without asking, so that held payloads do not stop small calls. That is not counted here.
//
// All functions may be called from any thread at any time.

// Sets the limit in bytes. What is held already stays held, also when that is more than the new limit; until it has
// gone back, new payloads wait. A payload that waits and is larger than the new limit stays in line without holding up
// others.
//
// The default is a quarter of the memory that the process may use (the machine's, or its cgroup's limit if that is
// lower), or the value of the environment variable PAGEWIRE_HELD_BUDGET, in bytes, read at first use; a value that is
// not a number is logged and ignored.
void SetHeldBudget(uint64_t bytes);

// The limit in bytes.
uint64_t HeldBudgetLimit();

// How many bytes are charged now.
uint64_t HeldBytes();

// One party that holds bytes.
struct Holder {
  std::string label;  // "/package.Service/Method"
  uint64_t bytes = 0;
  absl::Time since;

  // "1048576 bytes held 42 s by /package.Service/Method".
  std::string ToString(absl::Time now = absl::Now()) const;
};

// Who holds the bytes, one entry for each payload, those that hold longest first.
std::vector<Holder> Holders();

}  // namespace pagewire
