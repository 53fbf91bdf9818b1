// What a resolver's callback was told, for the thread of a test.
#pragma once

#include <pagewire/resolver.h>

#include <absl/status/statusor.h>
#include <gtest/gtest.h>

#include <deque>
#include <utility>

#include "base/mutex.h"

namespace pagewire::client {

// Outlives the resolver.
class Answers {
 public:
  ResolutionCallback Callback() {
    return [this](absl::StatusOr<Resolution> answer) {
      base::MutexLock lock(mutex_);
      answers_.push_back(std::move(answer));
      told_.NotifyAll();
    };
  }

  // The next one; waits for it.
  absl::StatusOr<Resolution> Next() {
    base::MutexLock lock(mutex_);
    while (answers_.empty()) told_.Wait(mutex_);
    auto answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }

  // The next one that `wanted(answer)` is true of; forgets those before it.
  template <typename Wanted>
  absl::StatusOr<Resolution> Next(Wanted wanted) {
    for (;;) {
      auto answer = Next();
      if (wanted(answer)) return answer;
    }
  }

  bool empty() const {
    base::MutexLock lock(mutex_);
    return answers_.empty();
  }

 private:
  mutable base::Mutex mutex_;
  base::CondVar told_;
  std::deque<absl::StatusOr<Resolution>> answers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace pagewire::client
