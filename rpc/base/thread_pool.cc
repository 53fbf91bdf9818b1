#include "base/thread_pool.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <pagewire/log.h>
#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "base/die.h"

namespace pagewire {
namespace base {
namespace {

// The pool whose thread this is.
thread_local const ThreadPool* current_pool = nullptr;

// pthread_setname_np takes 15 bytes and the terminating zero.
constexpr size_t kMaxThreadName = 15;

ThreadPoolOptions Normalized(ThreadPoolOptions options) {
  options.min_threads = std::max<size_t>(options.min_threads, 1);
  options.max_threads = std::max(options.max_threads, options.min_threads);
  options.thread_name.resize(std::min(options.thread_name.size(), kMaxThreadName));
  return options;
}

}  // namespace

ThreadPool::ThreadPool(const ThreadPoolOptions& options) : options_(Normalized(options)) {}

void ThreadPool::Start() {
  {
    MutexLock lock(mutex_);
    threads_ = free_threads_ = options_.min_threads;
  }
  for (size_t i = 0; i < options_.min_threads; ++i) {
    if (!StartThread() && i == 0)
      Die("a thread pool needs one thread at least; raise the limit on threads (ulimit -u)");
  }
}

void ThreadPool::Run(absl::AnyInvocable<void()> task) {
  bool need_thread = false;
  {
    MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
    need_thread = tasks_.size() > free_threads_ && threads_ < options_.max_threads;
    if (need_thread) {
      ++threads_;
      ++free_threads_;
    }
  }
  // A new thread looks for a task before it waits, so it need not be woken.
  if (need_thread && StartThread()) return;
  task_added_.NotifyOne();
}

bool ThreadPool::StartThread() {
  try {
    std::thread([self = shared_from_this()] { self->Work(); }).detach();
    return true;
  } catch (const std::system_error& error) {
    Log(LogSeverity::kWarning, absl::StrCat("thread pool ", options_.thread_name, ": cannot start another thread: ",
                                            error.what(), "; tasks wait for the threads there are"));
    MutexLock lock(mutex_);
    --threads_;
    --free_threads_;
    return false;
  }
}

void ThreadPool::Work() {
  pthread_setname_np(pthread_self(), options_.thread_name.c_str());
  current_pool = this;
  mutex_.Lock();
  while (WaitForTask()) {
    --free_threads_;
    absl::AnyInvocable<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    mutex_.Unlock();
    task();
    task = nullptr;  // what it owns goes while the thread still counts as busy
    mutex_.Lock();
    ++free_threads_;
  }
  --free_threads_;
  --threads_;
  thread_ended_.NotifyAll();
  mutex_.Unlock();
}

bool ThreadPool::WaitForTask() {
  const absl::Time idle_since = absl::Now();
  while (tasks_.empty()) {
    if (draining_) return false;
    if (threads_ <= options_.min_threads) {
      task_added_.Wait(mutex_);
      continue;
    }
    const absl::Duration left = idle_since + options_.idle_timeout - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    task_added_.WaitFor(mutex_, left);
  }
  return true;
}

void ThreadPool::Drain() {
  MutexLock lock(mutex_);
  draining_ = true;
  task_added_.NotifyAll();
  const size_t own = current_pool == this ? 1 : 0;
  while (threads_ > own) thread_ended_.Wait(mutex_);
}

namespace {

// What users hold. Its threads hold the pool, not this, so that the last user's reference ends them.
class PoolExecutor final : public Executor {
 public:
  explicit PoolExecutor(const ThreadPoolOptions& options) : pool_(std::make_shared<ThreadPool>(options)) {
    pool_->Start();
  }
  ~PoolExecutor() override { pool_->Drain(); }

  void Run(absl::AnyInvocable<void()> task) override { pool_->Run(std::move(task)); }

 private:
  const std::shared_ptr<ThreadPool> pool_;
};

}  // namespace
}  // namespace base

std::shared_ptr<Executor> MakeThreadPool(const ThreadPoolOptions& options) {
  return std::make_shared<base::PoolExecutor>(options);
}

Executor& DefaultExecutor() {
  static Executor& executor = *new base::PoolExecutor(ThreadPoolOptions());
  return executor;
}

}  // namespace pagewire
