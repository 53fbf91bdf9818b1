// What the kernel alone charges for moving payloads between two processes: bare sockets, by hand, on one path, with
// nothing of the framework's calls, frames, credit or threads.
#pragma once

#include <pagewire/paths.h>

#include <absl/time/time.h>

#include <cstdint>
#include <string>

namespace pagewire::bench {

struct FloorOptions {
  SendPath send = SendPath::kCopy;           // kCopy, kZerocopy, kFixed or kSplice
  ReceivePath receive = ReceivePath::kCopy;  // kCopy or kMap

  // How a sender knows that it may write to its buffer again. False: the receiver says so, with an acknowledgement of
  // its own. True: when SIOCOUTQ says that the send queue is empty, which is asked until it is; what users of vmsplice
  // do today. (It is not even right: the receiver may not have read the pages yet.)
  bool until_queue_empty = false;

  // Sockets as the framework has them; false: as the system makes them, congestion control included.
  bool tuned = true;

  uint64_t payload_bytes = 0;
  // Memory through which payloads go on either side, used again and again while it is hot; 0: each payload has memory
  // of its full size.
  uint64_t block_bytes = 0;
  int inflight = 1;    // payloads that are not acknowledged; each has a buffer of its own, unless block_bytes
  bool touch = false;  // the sender writes and the receiver reads every byte
  absl::Duration duration;
};

// The result as one line of JSON, or empty after an error that was printed. The receiver is a process of its own:
// called before anything of the library is used.
std::string RunFloor(const FloorOptions& options);

}  // namespace pagewire::bench
