// Where what users have asked to be told is told.
#pragma once

#include <pagewire/internal/block_pool.h>

#include <absl/functional/any_invocable.h>

#include <utility>

namespace pagewire::internal {

// kLoop: for ChannelOptions::inline_completions and ServerBuilder::RegisterInlineService.
enum class CompleteOn { kExecutor, kLoop };

// Runs `task` once, never inside this call: on the loop that the caller is on, or on DefaultExecutor() where the caller
// is on none or `where` says so. Any thread.
void Complete(CompleteOn where, absl::AnyInvocable<void()> task);

// What completes with `done` when it is called; with nothing where that is null.
template <typename Value>
absl::AnyInvocable<void(Value)> Completion(CompleteOn where, absl::AnyInvocable<void(Value)> done) {
  return Box([where, done = std::move(done)](Value value) mutable {
    if (!done) return;
    Complete(where, Box([done = std::move(done), value = std::move(value)]() mutable { done(std::move(value)); }));
  });
}

}  // namespace pagewire::internal
