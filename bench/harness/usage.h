// What a process has used.
#pragma once

#include <atomic>
#include <cstdint>

namespace pagewire::bench {

struct Usage {
  uint64_t cpu_us = 0;  // user and system, of all threads that there were
  uint64_t resident_bytes = 0;
  uint64_t peak_resident_bytes = 0;  // VmHWM: the most that `resident_bytes` has been since the process was made
  uint64_t allocations = 0;          // AllocationCount()
};

// Of the process that calls it.
Usage OwnUsage();

// How often operator new has been called while that was counted. Counts only in programs that link
// count_allocations.cc, and after CountAllocations().
std::atomic<uint64_t>& AllocationCount();
std::atomic<bool>& CountsAllocations();

// How many CPUs this process may run on.
int CpuCount();

// The calling thread, and so all threads and processes that it makes, runs on this CPU only; negative: nothing changes.
// False, after a message, if there is no such CPU.
bool PinToCpu(int cpu);

}  // namespace pagewire::bench
