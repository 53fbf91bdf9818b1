// What this kernel, and whatever stands between it and us, can do without copying.
#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <functional>

namespace pagewire::transport {

// UNAVAILABLE, with what is missing, where something cannot be done: payloads are copied then.
struct KernelSupport {
  absl::Status send_zerocopy;  // MSG_ZEROCOPY
  absl::Status receive_map;    // TCP_ZEROCOPY_RECEIVE
};

// The system calls that the probe makes, each returning 0 or an errno, on a TCP socket of its own.
struct ProbeCalls {
  std::function<int()> open_socket;
  std::function<int()> enable_zerocopy;
  std::function<int()> map_addresses;
  // `answered`: bytes of the structure that the kernel filled in.
  std::function<int(size_t& answered)> receive_nothing;
};

// Needs no connection, so it works where there is no network, and no rights.
KernelSupport Probe(const ProbeCalls& calls);

// The result of real calls, made once per process, at the first use; the log is told what is missing. Thread-safe.
const KernelSupport& ProbeKernel();

}  // namespace pagewire::transport
