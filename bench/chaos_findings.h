// What came of the calls: how many ended how, and what was wrong.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "bench.pb.h"

namespace pagewire::bench {

// Thread-safe.
class ChaosFindings {
 public:
  // A call has ended: what it was to do, whether somebody may have cancelled it, and whether what came was right.
  void Ended(const char* kind, const Job& job, const absl::Status& status, bool right);

  void Wrong(std::string what);

  // {"calls": ..., ...}, and whether nothing was wrong.
  std::string ToJson(uint64_t restarts) const;
  bool fine() const;

 private:
  mutable base::Mutex mutex_;
  uint64_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, uint64_t> endings_ ABSL_GUARDED_BY(mutex_);  // "unary OK"
  std::vector<std::string> wrong_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::bench
