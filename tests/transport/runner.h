// Lets one test body drive loops of either sort: threads of their own, or none.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "transport/epoll_loop.h"
#include "transport/loop.h"
#include "transport/manual_loop.h"

namespace pagewire::transport::testing {

// Two loops and the way to wait for what happens on them.
class Runner {
 public:
  virtual ~Runner() = default;

  virtual Loop& loop(int index) = 0;

  // Runs `task` on the loop and returns when it has run.
  virtual void Run(int index, std::function<void()> task) = 0;

  // Waits until `condition` holds, which is asked under mutex() again after each Changed. False when nothing will make
  // it hold (without threads: there is nothing left to run) or when it took a minute, which no correct run comes near.
  virtual bool Await(std::function<bool()> condition) = 0;

  // What conditions look at is changed under this mutex, followed by Changed.
  base::Mutex& mutex() { return mutex_; }
  void Changed() { changed_.NotifyAll(); }

 protected:
  base::Mutex mutex_;
  base::CondVar changed_;
};

// Two EpollLoops, which all tests of the process share.
class ThreadedRunner final : public Runner {
 public:
  static EpollLoop& SharedLoop(int index);

  Loop& loop(int index) override { return SharedLoop(index); }
  void Run(int index, std::function<void()> task) override;
  bool Await(std::function<bool()> condition) override;
};

// Two ManualLoops in the test's own thread.
class ManualRunner final : public Runner {
 public:
  ManualRunner() : loops_(2) {}

  Loop& loop(int index) override { return loops_[index]; }
  void Run(int index, std::function<void()> task) override;
  bool Await(std::function<bool()> condition) override;

 private:
  bool Step();

  std::vector<ManualLoop> loops_;
};

}  // namespace pagewire::transport::testing
