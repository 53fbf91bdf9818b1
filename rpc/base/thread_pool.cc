#include <pagewire/executor.h>

#include <deque>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace pagewire {
namespace {

// Invariant, whenever the mutex is free: a queued task has an idle thread that will take it, or the pool is at its
// maximum.
class ThreadPool final : public Executor {
 public:
  explicit ThreadPool(const ThreadPoolOptions& options) : options_(options) {}

  ~ThreadPool() override {
    std::unordered_map<std::thread::id, std::thread> threads;
    {
      base::MutexLock lock(mutex_);
      stopping_ = true;
      work_.NotifyAll();
      while (!threads_.empty()) ended_changed_.Wait(mutex_);
      JoinEnded();
    }
  }

  void Run(absl::AnyInvocable<void()> task) override {
    base::MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
    if (tasks_.size() <= idle_) {
      work_.NotifyOne();
    } else if (threads_.size() < options_.max_threads) {
      JoinEnded();
      std::thread thread([this] { Work(); });
      const std::thread::id id = thread.get_id();
      threads_.emplace(id, std::move(thread));
    }
  }

 private:
  void Work() {
    base::MutexLock lock(mutex_);
    while (WaitForTask()) {
      absl::AnyInvocable<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      mutex_.Unlock();
      std::move(task)();
      task = nullptr;
      mutex_.Lock();
    }
    const auto self = threads_.find(std::this_thread::get_id());
    ended_.push_back(std::move(self->second));
    threads_.erase(self);
    ended_changed_.NotifyAll();
  }

  // False when the thread should end.
  bool WaitForTask() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (tasks_.empty()) {
      if (stopping_) return false;
      ++idle_;
      const bool woken = work_.WaitFor(mutex_, options_.idle_timeout);
      --idle_;
      if (!woken && tasks_.empty() && threads_.size() > options_.min_threads) return false;
    }
    return true;
  }

  void JoinEnded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (std::thread& thread : std::exchange(ended_, {})) thread.join();
  }

  const ThreadPoolOptions options_;
  base::Mutex mutex_;
  base::CondVar work_;
  base::CondVar ended_changed_;
  std::deque<absl::AnyInvocable<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::thread::id, std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> ended_ ABSL_GUARDED_BY(mutex_);  // about to end, or ended: to be joined
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::shared_ptr<Executor> MakeThreadPool(const ThreadPoolOptions& options) {
  return std::make_shared<ThreadPool>(options);
}

Executor& DefaultExecutor() {
  static Executor& executor = *new ThreadPool(ThreadPoolOptions());
  return executor;
}

}  // namespace pagewire
