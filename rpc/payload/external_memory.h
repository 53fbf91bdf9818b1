// Memory that belongs to the user.
#pragma once

#include <pagewire/executor.h>

#include <absl/functional/any_invocable.h>

#include <utility>

#include "payload/span_owner.h"

namespace pagewire::memory {

// The owner of external bytes in a payload: `release` runs on the executor when this is destroyed, so never inside the
// call that dropped the last handle, whatever that call holds.
class ExternalMemory final : public SpanOwner {
 public:
  // `release` may be null.
  explicit ExternalMemory(absl::AnyInvocable<void()> release) : release_(std::move(release)) {}
  ~ExternalMemory() override {
    if (release_) DefaultExecutor().Run(std::move(release_));
  }

 private:
  absl::AnyInvocable<void()> release_;
};

}  // namespace pagewire::memory
