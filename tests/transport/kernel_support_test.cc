#include "transport/kernel_support.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace pagewire::transport::testing {
namespace {

ProbeCalls Working() {
  return {[] { return 0; }, [] { return 0; }, [] { return 0; },
          [](size_t& answered) {
            answered = 64;
            return 0;
          }};
}

TEST(KernelSupportTest, ThisKernelIsProbedOnce) { EXPECT_EQ(&ProbeKernel(), &ProbeKernel()); }

TEST(KernelSupportTest, AllIsThere) {
  const KernelSupport support = Probe(Working());
  EXPECT_EQ(support.send_zerocopy, absl::OkStatus());
  EXPECT_EQ(support.receive_map, absl::OkStatus());
}

TEST(KernelSupportTest, WhatIsMissingIsNamedAndTheRestIsThere) {
  ProbeCalls calls = Working();
  calls.enable_zerocopy = [] { return ENOPROTOOPT; };
  KernelSupport support = Probe(calls);
  EXPECT_EQ(support.send_zerocopy,
            absl::UnavailableError("sending without a copy is not possible here, payloads are copied instead: "
                                   "setsockopt(SO_ZEROCOPY): Protocol not available (ENOPROTOOPT)"));
  EXPECT_EQ(support.receive_map, absl::OkStatus());

  calls = Working();
  calls.map_addresses = [] { return ENODEV; };
  support = Probe(calls);
  EXPECT_EQ(support.send_zerocopy, absl::OkStatus());
  EXPECT_EQ(support.receive_map,
            absl::UnavailableError("mapping received pages is not possible here, payloads are copied instead: mmap of "
                                   "a TCP socket: No such device (ENODEV)"));

  calls = Working();
  calls.receive_nothing = [](size_t&) { return EPERM; };
  EXPECT_EQ(Probe(calls).receive_map.code(), absl::StatusCode::kUnavailable);

  calls = Working();
  calls.receive_nothing = [](size_t& answered) {
    answered = 24;
    return 0;
  };
  EXPECT_EQ(Probe(calls).receive_map.code(), absl::StatusCode::kUnavailable) << "a kernel before 5.11";
}

TEST(KernelSupportTest, WithoutSocketsThereIsNothing) {
  ProbeCalls calls = Working();
  calls.open_socket = [] { return EMFILE; };
  const KernelSupport support = Probe(calls);
  EXPECT_EQ(support.send_zerocopy.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(support.receive_map.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace pagewire::transport::testing
