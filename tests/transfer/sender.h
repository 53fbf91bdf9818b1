// The client's half of the corruption test.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>

namespace pagewire::transfer {

struct SenderOptions {
  std::string target;
  absl::Duration duration = absl::Seconds(5);
  uint64_t bytes = 0;  // not 0: until so many were moved, whatever the time
  uint64_t seed = 1;
  int threads = 2;
  // Calls are cancelled, deadlines expire and channels are dropped with calls in flight.
  bool churn = false;
};

struct SenderFindings {
  uint64_t calls = 0;
  uint64_t failed_calls = 0;  // expected with churn, or when the server dies
  uint64_t bytes = 0;         // of payloads that arrived
  uint64_t whole_page_bytes = 0;
  uint64_t mapped_bytes = 0;
  uint64_t mss_bytes = 0;            // copied because of segments
  uint64_t kernel_copied_bytes = 0;  // of those put
  uint64_t put_bytes = 0;
  uint64_t file_bytes = 0;  // of those, of payloads that went by reference to a file
  std::string first_error;  // a byte that was wrong, or a call that should not have failed
};

// Puts and gets stamped payloads; see StampedRing and PayloadKeeper. Returns when all of its buffers are back.
SenderFindings RunSender(const SenderOptions& options);

}  // namespace pagewire::transfer
