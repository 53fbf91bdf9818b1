// A policy from a file that may change.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "server/authorization_policy.h"

namespace pagewire::server {

// Thread-safe.
class PolicyFile {
 public:
  // Null: a clock that nobody sets.
  using Clock = std::function<absl::Duration()>;

  // INVALID_ARGUMENT: the file cannot be read, or is not valid.
  static absl::StatusOr<std::unique_ptr<PolicyFile>> Open(std::string path, Clock clock);

  // What the file says, as far as it is valid. One thread in a second looks at it; the others do not wait for that.
  std::shared_ptr<const AuthorizationPolicy> Current();

 private:
  PolicyFile(std::string path, Clock clock);
  absl::StatusOr<std::string> Read() const;
  absl::StatusOr<AuthorizationPolicy> Parse(const absl::StatusOr<std::string>& content) const;
  void LookAgain();

  const std::string path_;
  const Clock clock_;

  // What was seen last, valid or not: content, since times of files are too coarse to tell that it is another.
  // Whoever has set looking_ has it.
  absl::StatusOr<std::string> seen_;

  base::Mutex mutex_;
  bool looking_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration looked_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const AuthorizationPolicy> policy_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::server
