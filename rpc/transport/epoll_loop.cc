#include "transport/epoll_loop.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <iterator>
#include <limits>
#include <system_error>
#include <utility>

#include "transport/socket_error.h"

namespace pagewire::transport {
namespace {

// While polling, whoever was readable last is asked directly so many times for each time that epoll is asked for all:
// it is the likeliest to have news, and then that saves a system call; others wait for a few microseconds longer.
constexpr int kReadsPerWait = 3;

// How many events one epoll_wait fetches. More only lengthen the time until posted tasks get their turn.
constexpr int kEventsPerWait = 128;

// How often tasks that tasks have posted get their turn before descriptors do, which costs a system call: a reply that
// is delivered, the next call that its callback makes, and the frames that go out for that. What yields on purpose uses
// a timer instead.
constexpr int kPostedRounds = 4;

absl::Duration MonotonicClock() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::DurationFromTimespec(now);
}

// Rounded up, so that no timer runs early.
int EpollTimeout(absl::Duration delay) {
  if (delay <= absl::ZeroDuration()) return 0;
  if (delay == absl::InfiniteDuration()) return -1;
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(delay, absl::Milliseconds(1)));
  return static_cast<int>(std::min<int64_t>(milliseconds, std::numeric_limits<int>::max()));
}

uint64_t Tag(int fd, uint32_t generation) { return uint64_t{generation} << 32 | static_cast<uint32_t>(fd); }

}  // namespace

absl::StatusOr<std::unique_ptr<EpollLoop>> EpollLoop::Create() {
  base::UniqueFd epoll_fd(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_fd.valid()) return SocketError("cannot start an event loop: epoll_create1", errno);
  base::UniqueFd wake_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_fd.valid()) return SocketError("cannot start an event loop: eventfd", errno);
  // No registration has its number, so Dispatch ignores the event: waking up is all it is for. Edge-triggered, it
  // reports every write without ever being read.
  epoll_event wake = {.events = EPOLLIN | EPOLLET, .data = {.u64 = Tag(wake_fd.get(), 0)}};
  if (epoll_ctl(epoll_fd.get(), EPOLL_CTL_ADD, wake_fd.get(), &wake) != 0) {
    return SocketError("cannot start an event loop: epoll_ctl", errno);
  }

  auto loop = std::unique_ptr<EpollLoop>(new EpollLoop(std::move(epoll_fd), std::move(wake_fd)));
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  try {
    loop->thread_ = std::thread([raw = loop.get()] { raw->Run(); });
  } catch (const std::system_error& refused) {
    error = refused.code().value();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    return absl::ResourceExhaustedError("cannot start an event loop: no thread: " + ErrnoText(error));
  }
  return loop;
}

EpollLoop::EpollLoop(base::UniqueFd epoll_fd, base::UniqueFd wake_fd)
    : epoll_fd_(std::move(epoll_fd)), wake_fd_(std::move(wake_fd)) {}

EpollLoop::~EpollLoop() { Stop(); }

void EpollLoop::Stop() {
  if (!thread_.joinable()) return;
  assert(!OnAnyLoop());
  bool wake;
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    news_.store(true, std::memory_order_release);
    wake = std::exchange(asleep_, false);
  }
  if (wake) Wake();
  thread_.join();
}

void EpollLoop::Post(absl::AnyInvocable<void()> task) {
  if (RunningHere() && !news_.load(std::memory_order_acquire)) {
    own_.push_back(std::move(task));
    return;
  }
  bool wake;
  {
    base::MutexLock lock(mutex_);
    // The task is destroyed after the lock is released: its destructor may post.
    if (stopping_) return;
    posted_.push_back(std::move(task));
    news_.store(true, std::memory_order_release);
    wake = std::exchange(asleep_, false);
  }
  if (wake) Wake();
}

void EpollLoop::Wake() { eventfd_write(wake_fd_.get(), 1); }

Loop::TimerId EpollLoop::RunAfter(absl::Duration delay, absl::AnyInvocable<void()> task) {
  assert(OwnedByCaller());
  return timers_.Add(Now() + std::max(delay, absl::ZeroDuration()), std::move(task));
}

void EpollLoop::CancelTimer(TimerId timer) {
  assert(OwnedByCaller());
  timers_.Cancel(timer);
}

absl::Time EpollLoop::Now() const {
  // One zero for all loops, near the wall clock's time, so that their times compare and look right.
  static const absl::Time zero = absl::Now() - MonotonicClock();
  return zero + MonotonicClock();
}

absl::Status EpollLoop::AddFd(int fd, FdHandler* handler) {
  assert(OwnedByCaller());
  if (static_cast<size_t>(fd) >= registrations_.size()) registrations_.resize(fd + 1);
  Registration& registration = registrations_[fd];
  assert(registration.handler == nullptr);
  registration.generation++;
  epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                       .data = {.u64 = Tag(fd, registration.generation)}};
  if (epoll_ctl(epoll_fd_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return SocketError("the event loop cannot watch another descriptor: epoll_ctl", errno);
  }
  registration.handler = handler;
  return absl::OkStatus();
}

void EpollLoop::RemoveFd(int fd) {
  assert(OwnedByCaller());
  if (static_cast<size_t>(fd) >= registrations_.size() || registrations_[fd].handler == nullptr) return;
  registrations_[fd].handler = nullptr;
  epoll_ctl(epoll_fd_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EpollLoop::Run() {
  pthread_setname_np(pthread_self(), "pagewire-loop");
  const Running running(this);
  while (RunPosted()) {
    if (!timers_.empty()) timers_.RunDue(Now());
    WaitAndDispatch();
  }
  timers_.Clear();
}

bool EpollLoop::RunPosted() {
  for (int round = 0; round < kPostedRounds; ++round) {
    running_.swap(own_);
    bool stopping = false;
    if (news_.load(std::memory_order_acquire)) {
      base::MutexLock lock(mutex_);
      std::move(posted_.begin(), posted_.end(), std::back_inserter(running_));
      posted_.clear();
      stopping = stopping_;
      news_.store(stopping, std::memory_order_relaxed);
    }
    if (running_.empty()) return !stopping;
    for (auto& task : running_) {
      std::move(task)();
      task = nullptr;  // what it holds goes now, not after the rest of the batch
    }
    running_.clear();
    if (stopping) return false;
  }
  return true;
}

void EpollLoop::WaitAndDispatch() {
  epoll_event events[kEventsPerWait];
  const absl::Duration limit = busy_poll_.Next();
  const int count = limit > absl::ZeroDuration() ? Poll(limit, events) : Sleep(events);
  for (int i = 0; i < count; ++i) Dispatch(events[i]);
}

// Who posts meanwhile need not wake this thread.
int EpollLoop::Poll(absl::Duration limit, epoll_event* events) {
  const absl::Time begin = Now();
  while (true) {
    int count = 0;
    bool read = false;
    FdHandler* const last = HandlerOf(last_readable_);
    // Not when somebody has yielded: then a turn is over, and the next is for all.
    if (last != nullptr && reads_in_a_row_ < kReadsPerWait && timers_.next_due() > begin) {
      ++reads_in_a_row_;
      read = last->ReadNow();
    } else {
      reads_in_a_row_ = 0;
      count = epoll_wait(epoll_fd_.get(), events, kEventsPerWait, 0);
    }
    const bool posted = !own_.empty() || news_.load(std::memory_order_acquire);
    const bool news = count > 0 || read || posted;
    if (!news && Now() < begin + limit) continue;
    busy_poll_.OnPolled(news);
    return std::max(count, 0);
  }
}

int EpollLoop::Sleep(epoll_event* events) {
  const absl::Time now = Now();
  int timeout = 0;
  {
    base::MutexLock lock(mutex_);
    if (own_.empty() && posted_.empty() && !stopping_) {
      timeout = EpollTimeout(timers_.next_due() - now);
      asleep_ = timeout != 0;
    }
  }
  const int count = epoll_wait(epoll_fd_.get(), events, kEventsPerWait, timeout);
  if (timeout != 0) {
    busy_poll_.OnSlept(Now() - now);
    base::MutexLock lock(mutex_);
    asleep_ = false;
  }
  return count;
}

FdHandler* EpollLoop::HandlerOf(uint64_t tag) const {
  const auto fd = static_cast<uint32_t>(tag);
  const auto generation = static_cast<uint32_t>(tag >> 32);
  if (fd >= registrations_.size() || registrations_[fd].generation != generation) return nullptr;
  return registrations_[fd].handler;
}

void EpollLoop::Dispatch(const epoll_event& event) {
  FdHandler* const handler = HandlerOf(event.data.u64);
  if (handler == nullptr) return;
  if ((event.events & EPOLLIN) != 0) last_readable_ = event.data.u64;
  handler->OnFdEvents(event.events);
}

}  // namespace pagewire::transport
