// A few buffers that are used again and again, each at the first moment the API allows.
#pragma once

#include <pagewire/payload.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "transfer/stamp.h"

namespace pagewire::transfer {

// The payloads lie in external memory of odd alignment, or start in pooled memory. An external buffer is poisoned
// inside its release callback and stamped for the next payload soon after. Thread-safe.
class StampedRing {
 public:
  StampedRing(int buffers, uint64_t buffer_bytes);
  // Waits until every buffer has come back.
  ~StampedRing();

  // Waits for a free buffer. `offset` < 4096 is where in the buffer's first page the payload begins; size + offset <=
  // buffer_bytes.
  Payload Make(const StampOf& stamp, uint64_t size, uint64_t offset);

  // How many releases were told: one for each Make, once all buffers are back.
  uint64_t released();

 private:
  using Memory = std::unique_ptr<char, void (*)(void*)>;

  const uint64_t buffer_bytes_;
  base::Mutex mutex_;
  base::CondVar changed_;
  std::vector<Memory> memory_;
  std::vector<char*> free_ ABSL_GUARDED_BY(mutex_);
  uint64_t released_ ABSL_GUARDED_BY(mutex_) = 0;
};

// The same in the pool's memory.
Payload MakePooled(const StampOf& stamp, uint64_t size);

}  // namespace pagewire::transfer
