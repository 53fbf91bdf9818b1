// Holds received payloads for a while and looks at them twice.
#pragma once

#include <pagewire/payload.h>

#include <absl/time/time.h>

#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "transfer/stamp.h"

namespace pagewire::transfer {

// Thread-safe.
class PayloadKeeper {
 public:
  PayloadKeeper();
  ~PayloadKeeper();

  // Checks the payload now, and once more just before it is dropped after `hold`.
  void Keep(const StampOf& stamp, Payload payload, absl::Duration hold);

  struct Findings {
    uint64_t checked_bytes = 0;
    uint64_t payloads = 0;
    std::string first_error;
  };
  // Waits until nothing is held.
  Findings Finish();

 private:
  struct Kept {
    StampOf stamp;
    Payload payload;
  };
  void Run();
  void Check(const StampOf& stamp, const Payload& payload);

  base::Mutex mutex_;
  base::CondVar changed_;
  std::multimap<absl::Time, Kept> kept_ ABSL_GUARDED_BY(mutex_);
  bool checking_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Findings findings_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace pagewire::transfer
