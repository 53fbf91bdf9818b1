// What a stretch of work costs the thread that does it.
#pragma once

#include <cstdint>
#include <ctime>

namespace pagewire::transport {

// CPU time of the calling thread in nanoseconds, time in the kernel included. A system call, about 0.2 µs.
inline uint64_t ThreadCpuNs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

// Adds what its life costs to `*sum`; does nothing if that is null.
class CpuTimer {
 public:
  explicit CpuTimer(uint64_t* sum) : sum_(sum), began_(sum == nullptr ? 0 : ThreadCpuNs()) {}
  ~CpuTimer() {
    if (sum_ != nullptr) *sum_ += ThreadCpuNs() - began_;
  }
  CpuTimer(const CpuTimer&) = delete;
  CpuTimer& operator=(const CpuTimer&) = delete;

 private:
  uint64_t* const sum_;
  const uint64_t began_;
};

}  // namespace pagewire::transport
