#include "harness/usage.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace pagewire::bench {
namespace {

uint64_t Microseconds(const timeval& time) { return time.tv_sec * 1'000'000ull + time.tv_usec; }

}  // namespace

std::atomic<uint64_t>& AllocationCount() {
  static std::atomic<uint64_t> count;
  return count;
}

std::atomic<bool>& CountsAllocations() {
  static std::atomic<bool> counts;
  return counts;
}

Usage OwnUsage() {
  Usage usage;
  usage.allocations = AllocationCount();  // before anything here allocates
  rusage used;
  if (getrusage(RUSAGE_SELF, &used) != 0) {
    std::perror("getrusage");
    std::_Exit(1);
  }
  usage.cpu_us = Microseconds(used.ru_utime) + Microseconds(used.ru_stime);
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    uint64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) usage.peak_resident_bytes = kib * 1024;
    if (word == "VmRSS:" && status >> kib) usage.resident_bytes = kib * 1024;
  }
  return usage;
}

int CpuCount() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

bool PinToCpu(int cpu) {
  if (cpu < 0) return true;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) == 0) return true;
  std::fprintf(stderr, "--pin_cpu=%d: this machine has no such CPU for us\n", cpu);
  return false;
}

}  // namespace pagewire::bench
