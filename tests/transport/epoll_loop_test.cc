#include "transport/epoll_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "transport/loop_testing.h"

namespace pagewire::transport::testing {
namespace {

using ::testing::ElementsAre;

// Loops poll before they sleep whatever the machine: it is read when the first is made.
[[maybe_unused]] const int polling = setenv("PAGEWIRE_BUSY_POLL_US", "50", /*overwrite=*/1);

class EpollLoopTest : public ::testing::Test {
 protected:
  const std::unique_ptr<EpollLoop> loop_ = *EpollLoop::Create();
};

// Runs `action` when it is destroyed.
class AtEnd {
 public:
  explicit AtEnd(std::function<void()> action) : action_(std::move(action)) {}
  AtEnd(AtEnd&& other) noexcept : action_(std::exchange(other.action_, nullptr)) {}
  ~AtEnd() {
    if (action_) action_();
  }

 private:
  std::function<void()> action_;
};

TEST_F(EpollLoopTest, TasksOfEachThreadRunInItsOrder) {
  constexpr int kThreads = 4, kTasks = 1000;
  std::vector<int> next(kThreads, 0);  // used on the loop only
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) loop_->Post([&next, t, i] { EXPECT_EQ(next[t]++, i); });
    });
  }
  for (auto& thread : threads) thread.join();
  RunOn(*loop_, [&] { EXPECT_THAT(next, ::testing::Each(kTasks)); });
}

// To the other loop and back, `left` times. Every hundredth time it takes about as long as a loop polls before it
// sleeps.
void Hop(EpollLoop& here, EpollLoop& there, int left, Event& done) {
  if (left == 0) return done.Set();
  const absl::Time until = here.Now() + absl::Microseconds(left % 100 == 0 ? 45 + left / 100 % 10 : 0);
  while (here.Now() < until) continue;
  there.Post([&here, &there, left, &done] { Hop(there, here, left - 1, done); });
}

// A loop whose news comes soon polls before it sleeps. A task that it missed then would leave the test waiting.
TEST_F(EpollLoopTest, NoTaskIsMissedBetweenPollingAndSleeping) {
  const std::unique_ptr<EpollLoop> other = *EpollLoop::Create();
  Event done;
  loop_->Post([&] { Hop(*loop_, *other, 20'000, done); });
  done.Wait();
}

// Always has something to read. Its loop sees news at once, again and again, and so begins to poll.
class Chatterbox final : public FdHandler {
 public:
  Chatterbox() { Say(); }

  int fd() const { return fd_.get(); }
  int told() const { return told_; }
  int asked() const { return asked_; }

  std::function<void()> on_told = [] {};
  std::function<void()> on_asked = [] {};

  void OnFdEvents(uint32_t) override {
    ++told_;
    Hear();
    on_told();
  }
  bool ReadNow() override {
    ++asked_;
    Hear();
    on_asked();
    return true;
  }

 private:
  void Say() { EXPECT_EQ(eventfd_write(fd_.get(), 1), 0); }
  void Hear() {
    eventfd_t value;
    EXPECT_EQ(eventfd_read(fd_.get(), &value), 0);
    Say();
  }

  const base::UniqueFd fd_{eventfd(0, EFD_NONBLOCK)};
  int told_ = 0;
  int asked_ = 0;
};

TEST_F(EpollLoopTest, WhoIsAskedDirectlyDoesNotKeepOthersWaiting) {
  Chatterbox one, two;
  Event done;
  int most = 0;  // times that one was asked between two events of the other
  int before = 0;
  two.on_told = [&] {
    most = std::max(most, one.asked() + two.asked() - before);
    before = one.asked() + two.asked();
    if (before > 1000) done.Set();
  };
  RunOn(*loop_, [&] {
    ASSERT_EQ(loop_->AddFd(one.fd(), &one), absl::OkStatus());
    ASSERT_EQ(loop_->AddFd(two.fd(), &two), absl::OkStatus());
  });
  done.Wait();
  RunOn(*loop_, [&] {
    loop_->RemoveFd(one.fd());
    loop_->RemoveFd(two.fd());
  });
  EXPECT_LE(most, 3);
}

TEST_F(EpollLoopTest, WhoIsAskedDirectlyMayBeRemovedInside) {
  auto handler = std::make_unique<Chatterbox>();
  Event done;
  handler->on_asked = [&] {
    if (handler->asked() < 10) return;
    loop_->RemoveFd(handler->fd());
    loop_->Post([&] { done.Set(); });
  };
  RunOn(*loop_, [&] { ASSERT_EQ(loop_->AddFd(handler->fd(), handler.get()), absl::OkStatus()); });
  done.Wait();
  RunOn(*loop_, [&] {
    EXPECT_EQ(handler->asked(), 10);
    handler.reset();
  });
  RunOn(*loop_, [] {});
}

// Whichever of two tasks is posted before the other, as far as anybody can know, runs first.
TEST_F(EpollLoopTest, TasksOfTheLoopAndOfOthersKeepTheirOrder) {
  for (int round = 0; round < 100; ++round) {
    std::vector<int> order;
    Event from_loop, from_other, done;
    std::thread other([&] {
      from_loop.Wait();
      loop_->Post([&] { order.push_back(2); });
      from_other.Set();
    });
    RunOn(*loop_, [&] {
      loop_->Post([&] { order.push_back(1); });
      from_loop.Set();
      from_other.Wait();
      loop_->Post([&] {
        order.push_back(3);
        done.Set();
      });
    });
    done.Wait();
    other.join();
    RunOn(*loop_, [&] { EXPECT_THAT(order, ElementsAre(1, 2, 3)); });
  }
}

TEST_F(EpollLoopTest, TasksNeverRunInsidePost) {
  std::vector<int> order;
  Event done;
  RunOn(*loop_, [&] {
    loop_->Post([&] {
      order.push_back(2);
      done.Set();
    });
    order.push_back(1);
  });
  done.Wait();
  RunOn(*loop_, [&] { EXPECT_THAT(order, ElementsAre(1, 2)); });
}

TEST_F(EpollLoopTest, ATaskIsDestroyedBeforeTheNextRuns) {
  std::vector<int> order;
  RunOn(*loop_, [&] {
    loop_->Post([end = AtEnd([&] { order.push_back(1); })] {});
    loop_->Post([&] { order.push_back(2); });
  });
  RunOn(*loop_, [&] { EXPECT_THAT(order, ElementsAre(1, 2)); });
}

TEST_F(EpollLoopTest, KnowsWhoIsOnIt) {
  EXPECT_FALSE(loop_->InLoop());
  EXPECT_FALSE(Loop::OnAnyLoop());
  auto other = *EpollLoop::Create();
  RunOn(*loop_, [&] {
    EXPECT_TRUE(loop_->InLoop());
    EXPECT_FALSE(other->InLoop());
    EXPECT_TRUE(Loop::OnAnyLoop());
  });
}

TEST_F(EpollLoopTest, StopRunsWhatWasPostedBefore) {
  int ran = 0;
  for (int i = 0; i < 100; ++i) loop_->Post([&] { ++ran; });
  loop_->Stop();
  EXPECT_EQ(ran, 100);
  loop_->Stop();
}

TEST_F(EpollLoopTest, TasksPostedAfterStopAreDestroyedAtOnce) {
  loop_->Stop();
  bool ran = false, destroyed = false;
  loop_->Post([&ran, end = AtEnd([&] { destroyed = true; })] { ran = true; });
  EXPECT_TRUE(destroyed);
  EXPECT_FALSE(ran);
}

TEST_F(EpollLoopTest, TasksOfTheLastTasksAreDestroyed) {
  bool ran = false, destroyed = false;
  Event stopping;
  loop_->Post([&] {
    stopping.Wait();
    // Stop has been called, or is about to be: post until a task is refused.
    while (!destroyed) {
      loop_->Post([end = AtEnd([&] { destroyed = true; })] {});
      std::this_thread::yield();
    }
    loop_->Post([&] { ran = true; });
  });
  std::thread stopper([&] { loop_->Stop(); });
  stopping.Set();
  stopper.join();
  EXPECT_FALSE(ran);
}

TEST_F(EpollLoopTest, StopDestroysTimersOnTheLoop) {
  bool ran = false, destroyed_on_loop = false;
  RunOn(*loop_, [&] {
    loop_->RunAfter(absl::Hours(1), [&ran, end = AtEnd([&] { destroyed_on_loop = loop_->InLoop(); })] { ran = true; });
  });
  loop_->Stop();
  EXPECT_TRUE(destroyed_on_loop);
  EXPECT_FALSE(ran);
}

TEST_F(EpollLoopTest, TimersRunInOrderAndNeverEarly) {
  std::vector<int> order;
  Event done;
  RunOn(*loop_, [&] {
    const absl::Time start = loop_->Now();
    loop_->RunAfter(absl::Milliseconds(20), [&, start] {
      EXPECT_GE(loop_->Now() - start, absl::Milliseconds(20));
      order.push_back(3);
      done.Set();
    });
    loop_->RunAfter(-absl::InfiniteDuration(), [&] { order.push_back(1); });
    loop_->RunAfter(absl::Microseconds(1), [&, start] {
      EXPECT_GE(loop_->Now() - start, absl::Microseconds(1));
      order.push_back(2);
    });
    loop_->RunAfter(absl::InfiniteDuration(), [&] { ADD_FAILURE() << "an infinite delay has passed"; });
  });
  done.Wait();
  RunOn(*loop_, [&] { EXPECT_THAT(order, ElementsAre(1, 2, 3)); });
}

TEST_F(EpollLoopTest, ACancelledTimerIsDestroyedAndDoesNotRun) {
  bool destroyed = false;
  Event later;
  RunOn(*loop_, [&] {
    const auto timer = loop_->RunAfter(
        absl::ZeroDuration(), [end = AtEnd([&] { destroyed = true; })] { ADD_FAILURE() << "a cancelled timer ran"; });
    EXPECT_NE(timer, 0u);
    loop_->CancelTimer(timer);
    EXPECT_TRUE(destroyed);
    loop_->CancelTimer(timer);
    loop_->CancelTimer(0);
    loop_->RunAfter(absl::Milliseconds(1), [&] { later.Set(); });
  });
  later.Wait();
}

TEST_F(EpollLoopTest, ATimerThatRenewsItselfWithoutDelayLeavesRoomForTasks) {
  std::function<void()> renew;
  bool stop = false;
  renew = [&] {
    if (!stop) loop_->RunAfter(absl::ZeroDuration(), renew);
  };
  RunOn(*loop_, renew);
  RunOn(*loop_, [] {});
  RunOn(*loop_, [&] { stop = true; });
  loop_->Stop();
}

TEST_F(EpollLoopTest, TheThreadBlocksSignals) {
  RunOn(*loop_, [] {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    EXPECT_TRUE(sigismember(&blocked, SIGTERM));
    EXPECT_TRUE(sigismember(&blocked, SIGPIPE));
  });
}

TEST(EpollLoop, WithoutDescriptorsThereIsNoLoop) {
  if (!CanRunOutOfDescriptors()) GTEST_SKIP() << "UBSan needs descriptors of its own";
  const NoFreeDescriptors none;
  const auto loop = EpollLoop::Create();
  EXPECT_EQ(loop.status(),
            absl::ResourceExhaustedError("cannot start an event loop: epoll_create1: Too many open files (EMFILE)"));
}

// Records events and does something at each.
class Recorder final : public FdHandler {
 public:
  explicit Recorder(std::function<void(uint32_t)> action) : action_(std::move(action)) {}
  void OnFdEvents(uint32_t events) override { action_(events); }

 private:
  std::function<void(uint32_t)> action_;
};

base::UniqueFd NewEventFd(unsigned count) { return base::UniqueFd(eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK)); }

TEST_F(EpollLoopTest, ReportsEveryEdge) {
  const base::UniqueFd fd = NewEventFd(0);
  Event added, written;
  Recorder recorder([&](uint32_t events) {
    EXPECT_TRUE(events & EPOLLOUT);
    if (events & EPOLLIN) {
      written.Set();
    } else {
      added.Set();
    }
  });
  RunOn(*loop_, [&] { EXPECT_EQ(loop_->AddFd(fd.get(), &recorder), absl::OkStatus()); });
  added.Wait();
  eventfd_write(fd.get(), 1);
  written.Wait();
  RunOn(*loop_, [&] {
    loop_->RemoveFd(fd.get());
    loop_->RemoveFd(fd.get());
    loop_->RemoveFd(12345);
  });
}

TEST_F(EpollLoopTest, ARemovedDescriptorGetsNoEventThatWasFetchedBefore) {
  const base::UniqueFd first = NewEventFd(1), second = NewEventFd(1);
  int calls = 0;
  Event called;
  Recorder recorder([&](uint32_t) {
    ++calls;
    loop_->RemoveFd(first.get());
    loop_->RemoveFd(second.get());
    called.Set();
  });
  // Added in one task, both are ready in the same epoll_wait.
  RunOn(*loop_, [&] {
    EXPECT_EQ(loop_->AddFd(first.get(), &recorder), absl::OkStatus());
    EXPECT_EQ(loop_->AddFd(second.get(), &recorder), absl::OkStatus());
  });
  called.Wait();
  RunOn(*loop_, [&] { EXPECT_EQ(calls, 1); });
}

TEST_F(EpollLoopTest, ANewOwnerOfADescriptorNumberGetsNoEventOfTheOldOne) {
  base::UniqueFd fds[] = {NewEventFd(1), NewEventFd(1)};
  Event fresh;
  Recorder newcomer([&](uint32_t events) {
    EXPECT_FALSE(events & EPOLLIN) << "nobody wrote to the new descriptor";
    fresh.Set();
  });
  int calls = 0;
  // Whichever comes first replaces the other's descriptor by a new one of the same number.
  std::function<void(int)> replace = [&](int other) {
    ++calls;
    const int number = fds[other].get();
    loop_->RemoveFd(number);
    fds[other] = base::UniqueFd();
    fds[other] = NewEventFd(0);
    ASSERT_EQ(fds[other].get(), number);
    ASSERT_EQ(loop_->AddFd(number, &newcomer), absl::OkStatus());
  };
  Recorder first([&](uint32_t) { replace(1); }), second([&](uint32_t) { replace(0); });
  RunOn(*loop_, [&] {
    EXPECT_EQ(loop_->AddFd(fds[0].get(), &first), absl::OkStatus());
    EXPECT_EQ(loop_->AddFd(fds[1].get(), &second), absl::OkStatus());
  });
  fresh.Wait();
  RunOn(*loop_, [&] {
    EXPECT_EQ(calls, 1);
    loop_->RemoveFd(fds[0].get());
    loop_->RemoveFd(fds[1].get());
  });
}

TEST_F(EpollLoopTest, RefusesWhatEpollCannotWatch) {
  Recorder recorder([](uint32_t) { ADD_FAILURE(); });
  const base::UniqueFd file(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  RunOn(*loop_, [&] {
    EXPECT_EQ(loop_->AddFd(file.get(), &recorder),
              absl::PermissionDeniedError(
                  "the event loop cannot watch another descriptor: epoll_ctl: Operation not permitted (EPERM)"));
    loop_->RemoveFd(file.get());
  });
}

}  // namespace
}  // namespace pagewire::transport::testing
