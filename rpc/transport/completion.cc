#include <pagewire/executor.h>
#include <pagewire/internal/completion.h>

#include <utility>

#include "transport/loop.h"

namespace pagewire::internal {

void Complete(CompleteOn where, absl::AnyInvocable<void()> task) {
  transport::Loop* const loop = where == CompleteOn::kLoop ? transport::Loop::Current() : nullptr;
  loop != nullptr ? loop->Post(std::move(task)) : DefaultExecutor().Run(std::move(task));
}

}  // namespace pagewire::internal
