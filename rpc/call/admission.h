// How many calls may be in flight, in all and of each method, and that no connection takes the places of all others.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace pagewire::call {

// What a call occupies while it is in flight: gives it back when destroyed, any thread.
using Place = std::shared_ptr<void>;

// Thread-safe. Kept by shared_ptr, which places share.
class Admission final : public std::enable_shared_from_this<Admission> {
 public:
  struct Options {
    uint32_t max_calls = 0;  // 0: no limit

    // A connection's calls may be at most this many times the places that are still free (the dynamic thresholds of
    // shared buffers: Choudhury and Hahne, 1998). With 8, a connection alone gets eight ninths of all places, ten
    // equally busy ones each 8/81, and a newcomer always finds a place. 0: first come, first served.
    uint32_t fairness = 0;

    std::string where = {};  // "on this server"
    std::string option;      // what a user raises: "ServerBuilder::SetMaxConcurrentCalls"
    std::string method_option = {};
  };
  explicit Admission(Options options) : options_(std::move(options)) {}

  // Before the first call. `method` outlives the admission.
  void LimitMethod(std::string_view method, uint32_t max_calls);

  // A place for a call of `method`, from a connection that has `own` calls in flight; null if nothing limits it.
  // RESOURCE_EXHAUSTED, with what is in flight and what to raise, when there is none.
  absl::StatusOr<Place> Admit(std::string_view method, uint64_t own);

 private:
  struct OfMethod {
    uint32_t max_calls = 0;
    uint32_t calls = 0;
  };
  absl::Status Full(std::string_view method, uint32_t calls, const std::string& what, const std::string& option) const;
  void Leave(OfMethod* method);

  const Options options_;
  base::Mutex mutex_;
  uint32_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string_view, std::unique_ptr<OfMethod>> methods_;  // constant but for the counts
};

}  // namespace pagewire::call
