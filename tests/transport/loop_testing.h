// Waiting for loops, and taking the process's descriptors away, for tests.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pagewire/log.h>
#include <sys/resource.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "transport/loop.h"

namespace pagewire::transport::testing {

// Set once, waited for in another thread.
class Event {
 public:
  void Set() {
    base::MutexLock lock(mutex_);
    set_ = true;
    changed_.NotifyAll();
  }
  void Wait() {
    base::MutexLock lock(mutex_);
    while (!set_) changed_.Wait(mutex_);
  }

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  bool set_ = false;
};

// Runs `task` on a loop with a thread and waits for it.
inline void RunOn(Loop& loop, std::function<void()> task) {
  Event done;
  loop.Post([&] {
    task();
    done.Set();
  });
  done.Wait();
}

// UBSan checks pointers to classes by writing through a pipe, and takes it for a broken object when it cannot open one.
extern "C" __attribute__((weak)) char __ubsan_vptr_type_cache;
inline bool CanRunOutOfDescriptors() { return &__ubsan_vptr_type_cache == nullptr; }

// While it lives, the process gets no new descriptor: every number below the limit is in use. Only where
// CanRunOutOfDescriptors().
class NoFreeDescriptors {
 public:
  NoFreeDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    close(lowest_free);
    const rlimit limit = {static_cast<rlim_t>(lowest_free), before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  ~NoFreeDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoFreeDescriptors(const NoFreeDescriptors&) = delete;
  NoFreeDescriptors& operator=(const NoFreeDescriptors&) = delete;

 private:
  rlimit before_;
};

// While it lives, log lines come here.
class CapturedLog {
 public:
  CapturedLog() : sink_(std::make_shared<Sink>()) { SetLogSink(sink_); }
  ~CapturedLog() { SetLogSink(nullptr); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  std::vector<std::string> lines() const {
    base::MutexLock lock(sink_->mutex);
    return sink_->lines;
  }

 private:
  struct Sink : LogSink {
    void Write(LogSeverity, std::string_view message, std::string_view, int) override {
      base::MutexLock lock(mutex);
      lines.emplace_back(message);
    }
    base::Mutex mutex;
    std::vector<std::string> lines;
  };
  const std::shared_ptr<Sink> sink_;
};

}  // namespace pagewire::transport::testing
