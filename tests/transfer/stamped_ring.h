// A few buffers that are used again and again, each at the first moment the API allows.
#pragma once

#include <pagewire/payload.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "transfer/reused_buffer.h"
#include "transfer/stamp.h"

namespace pagewire::transfer {

// The payloads lie in external memory of odd alignment, or in files where the process sends by `file`; or start in
// pooled memory. A buffer is poisoned inside its release callback and stamped for the next payload soon after.
// Thread-safe.
class StampedRing {
 public:
  // Which pages a buffer that comes back is used with.
  enum class Reuse {
    kSamePages,  // poisoned first, so that whoever still looks sees it
    // Others where it is a file's: for who drops connections. Nobody says then that the peer has read what is queued,
    // and a file goes back at once, because files are not the library's to reuse.
    kOtherPages,
  };

  StampedRing(int buffers, uint64_t buffer_bytes, Reuse reuse = Reuse::kSamePages);
  // Waits until every buffer has come back.
  ~StampedRing();

  // Waits for a free buffer. `offset` < 4096 is where in the buffer's first page the payload begins; size + offset <=
  // buffer_bytes.
  Payload Make(const StampOf& stamp, uint64_t size, uint64_t offset);

  // How many releases were told: one for each Make, once all buffers are back.
  uint64_t released();

 private:
  const Reuse reuse_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<std::unique_ptr<ReusedBuffer>> buffers_;
  std::vector<ReusedBuffer*> free_ ABSL_GUARDED_BY(mutex_);
  uint64_t released_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Whether this process sends by splice, which takes no external memory.
bool OnlyPooled();

// The same in the pool's memory.
Payload MakePooled(const StampOf& stamp, uint64_t size);

}  // namespace pagewire::transfer
