// Where user callbacks and handlers run.
#pragma once

#include <absl/functional/any_invocable.h>
#include <absl/time/time.h>

#include <cstddef>
#include <memory>
#include <string>

namespace pagewire {

// Implementations are thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  // Runs `task` once, on another thread or later on this one, never inside this call. Tasks may block. A task that
  // throws ends the process.
  virtual void Run(absl::AnyInvocable<void()> task) = 0;
};

struct ThreadPoolOptions {
  // Threads that are started at once and stay. At least 1 is kept.
  size_t min_threads = 1;

  // A task waits, first come first served, only while this many tasks are running. 1024: a thread that blocks costs a
  // stack of which a few pages are touched; beyond that, waiting in line is cheaper than switching between threads.
  // Raised to min_threads where it is smaller.
  size_t max_threads = 1024;

  // A thread above min_threads that had nothing to do for this long ends.
  absl::Duration idle_timeout = absl::Seconds(10);

  // What debuggers and top show; cut to 15 bytes, Linux's limit.
  std::string thread_name = "pagewire-exec";
};

// The executor on which the library runs user callbacks: releases of external memory, completions, cancellations. One
// per process, with default options. It is never destroyed, so that callbacks still work while the process exits; tasks
// that have not run when the process ends are lost.
Executor& DefaultExecutor();

// A pool of threads that grows while its tasks block and shrinks when they stop. Ends the process when not even the
// first thread can be started; when a further thread cannot, tasks wait for the threads there are, and that is logged.
//
// Destroying the pool runs the tasks that wait, then waits for its threads; a task may destroy the pool it runs on, and
// is not waited for. No task may be added once destruction has begun, except by the pool's own tasks.
std::shared_ptr<Executor> MakeThreadPool(const ThreadPoolOptions& options = {});

}  // namespace pagewire
