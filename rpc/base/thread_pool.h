// The threads behind MakeThreadPool and DefaultExecutor.
#pragma once

#include <pagewire/executor.h>

#include <cstddef>
#include <deque>
#include <memory>

#include "base/mutex.h"

namespace pagewire::base {

// Whenever the lock is free, each task in line has a thread that is about to take it, unless all threads that may be
// there are busy: a thread counts as free from the moment it is decided to start it.
//
// Threads are detached and keep this object alive; the last act of each is to leave the count that Drain waits for.
class ThreadPool : public std::enable_shared_from_this<ThreadPool> {
 public:
  explicit ThreadPool(const ThreadPoolOptions& options);

  // Starts min_threads. Call once, before all else. Ends the process if none can be started.
  void Start();

  void Run(absl::AnyInvocable<void()> task);

  // Runs what is in line, then waits until all threads but the calling one have ended. Call once, last.
  void Drain();

 private:
  // Returns whether the thread could be started; it has been counted as free by the caller.
  bool StartThread();
  void Work();

  // False when the thread is to end.
  bool WaitForTask() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ThreadPoolOptions options_;
  Mutex mutex_;
  CondVar task_added_;
  CondVar thread_ended_;
  std::deque<absl::AnyInvocable<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  size_t threads_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t free_threads_ ABSL_GUARDED_BY(mutex_) = 0;  // of threads_, those that run no task
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace pagewire::base
