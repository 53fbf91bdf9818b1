// The loop of production: one thread around epoll.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/unique_fd.h"
#include "transport/busy_poll.h"
#include "transport/loop.h"
#include "transport/timer_queue.h"

namespace pagewire::transport {

// Told on the loop when something happened to a descriptor.
class FdHandler {
 public:
  // `events` are epoll's: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR. The handler may be removed and destroyed
  // inside.
  virtual void OnFdEvents(uint32_t events) = 0;

  // Reads without being told that there is something, which saves asking epoll first. False: there was nothing. The
  // handler may be removed and destroyed inside.
  virtual bool ReadNow() { return false; }

 protected:
  ~FdHandler() = default;
};

// Timers have a resolution of one millisecond. The thread blocks all signals, so that the process's handlers run in
// its own threads.
class EpollLoop final : public Loop {
 public:
  // Starts the thread. RESOURCE_EXHAUSTED when the system has no descriptor or thread left.
  static absl::StatusOr<std::unique_ptr<EpollLoop>> Create();

  // Stops.
  ~EpollLoop() override;
  EpollLoop(const EpollLoop&) = delete;
  EpollLoop& operator=(const EpollLoop&) = delete;

  // Runs what was posted before this call, destroys the timers, ends the thread. Tasks posted afterwards, also by
  // those last tasks, are destroyed instead of run. Not on any loop of this process; a second call does nothing.
  void Stop();

  // Calls `handler` whenever epoll reports an edge for `fd`, in either direction: what is ready now is reported once,
  // then what becomes ready. `fd` is not owned and must be removed before it is closed. On the loop only.
  // RESOURCE_EXHAUSTED when the system refuses another watch, PERMISSION_DENIED for what epoll cannot watch (files).
  absl::Status AddFd(int fd, FdHandler* handler);

  // No call to its handler comes after this, not even for an event that was already fetched. An unknown `fd` is
  // ignored. On the loop, or in one thread after Stop.
  void RemoveFd(int fd);

  void Post(absl::AnyInvocable<void()> task) override;
  TimerId RunAfter(absl::Duration delay, absl::AnyInvocable<void()> task) override;
  void CancelTimer(TimerId timer) override;
  bool InLoop() const override { return RunningHere(); }
  absl::Time Now() const override;

 private:
  using Tasks = std::vector<absl::AnyInvocable<void()>>;

  // One per descriptor number. The generation tells events of an earlier owner of the number apart.
  struct Registration {
    FdHandler* handler = nullptr;
    uint32_t generation = 0;
  };

  EpollLoop(base::UniqueFd epoll_fd, base::UniqueFd wake_fd);

  // On the loop, or nobody is any more.
  bool OwnedByCaller() const { return RunningHere() || !thread_.joinable(); }

  void Run();
  bool RunPosted();  // false once the loop stops
  void WaitAndDispatch();
  int Poll(absl::Duration limit, epoll_event* events);  // how many; 0: none, or a task was posted
  int Sleep(epoll_event* events);
  void Dispatch(const epoll_event& event);
  FdHandler* HandlerOf(uint64_t tag) const;
  void Wake();

  const base::UniqueFd epoll_fd_;
  const base::UniqueFd wake_fd_;

  // Tasks run in the order in which they are posted. The loop's own need no lock, as long as none of others is before
  // them.
  base::Mutex mutex_;
  Tasks posted_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> news_{false};  // set with the lock: there is something in posted_, or the loop is stopping
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;  // in epoll_wait, or about to be: needs a wake-up
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  // On the loop only.
  BusyPoll busy_poll_{BusyPollLimit()};
  uint64_t last_readable_ = 0;  // the tag of whom epoll called readable last
  int reads_in_a_row_ = 0;      // that asked it instead of epoll
  TimerQueue timers_;
  std::vector<Registration> registrations_;  // by descriptor
  Tasks own_;                                // posted by tasks; before all that is in posted_
  Tasks running_;                            // kept for its memory

  std::thread thread_;
};

}  // namespace pagewire::transport
