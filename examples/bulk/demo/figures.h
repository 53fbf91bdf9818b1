// What a run of the demo found out.
#pragma once

#include <pagewire/transfer_report.h>

#include <absl/time/time.h>

#include <array>
#include <cstdint>

#include "bulk/demo/row.h"

namespace bulk::demo {

// MB is 10^6 bytes, GB 10^9.
struct Figures {
  Row row;
  bool verified = true;    // every digest was the right one so far
  uint64_t calls = 0;      // puts plus gets
  uint64_t bytes = 0;      // of payloads: puts plus gets
  uint64_t put_bytes = 0;  // those of puts

  // Of the transfer alone: what files and digests took, on either side, is not in them.
  absl::Duration wall;
  absl::Duration client_cpu;  // of all threads, in user code and in the kernel
  absl::Duration server_cpu;

  // From the transfer reports.
  uint64_t whole_page_bytes = 0;  // of payloads, without their tails
  uint64_t mapped_bytes = 0;
  uint64_t kernel_copied_bytes = 0;  // of puts: the report of a get says what its receiver did, not what its sender did
  std::array<uint64_t, pagewire::kCopyReasonCount> copied_bytes = {};  // indexed by CopyReason

  void AddPut(const pagewire::TransferReport& sent);
  void AddGet(const pagewire::TransferReport& received);

  double GigabytesPerSecond() const;
  double ClientCpuMicrosPerMegabyte() const;
  double ServerCpuMicrosPerMegabyte() const;
  double MappedFraction() const;        // of whole pages
  double KernelCopiedFraction() const;  // of the bytes put

 private:
  void Add(const pagewire::TransferReport& report);
};

}  // namespace bulk::demo
