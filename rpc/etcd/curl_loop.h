// A loop around libcurl: HTTP requests, tasks and timers in one thread.
#pragma once

#include <absl/status/statusor.h>
#include <curl/curl.h>

#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "transport/loop.h"
#include "transport/timer_queue.h"

namespace pagewire::etcd {

// Told on the loop when a transfer has ended, which it may then remove.
class CurlTransfer {
 public:
  virtual void OnEnded(CURLcode result) = 0;

 protected:
  ~CurlTransfer() = default;
};

// The thread blocks all signals, so that the process's handlers run in its own threads.
class CurlLoop final : public transport::Loop {
 public:
  // The loop that all users in this process share; it ends with its last user. RESOURCE_EXHAUSTED when the system has
  // no thread or descriptor left.
  static absl::StatusOr<std::shared_ptr<CurlLoop>> Shared();

  // Runs what was posted before, and ends the thread; waits for that. Not on this loop.
  ~CurlLoop() override;
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  // Starts a transfer. Neither is owned; both live until OnEnded or Remove. On the loop only, as Remove, which must not
  // be called inside one of curl's callbacks.
  void Add(CURL* easy, CurlTransfer* transfer);
  void Remove(CURL* easy);

  void Post(absl::AnyInvocable<void()> task) override;
  TimerId RunAfter(absl::Duration delay, absl::AnyInvocable<void()> task) override;
  void CancelTimer(TimerId timer) override;
  bool InLoop() const override { return RunningHere(); }
  absl::Time Now() const override;

 private:
  explicit CurlLoop(CURLM* multi) : multi_(multi) {}

  static absl::StatusOr<std::shared_ptr<CurlLoop>> Create();

  void Run();
  bool RunPosted();  // false once the loop stops
  void Transfer();
  void Wait();

  CURLM* const multi_;

  base::Mutex mutex_;
  std::vector<absl::AnyInvocable<void()>> posted_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  transport::TimerQueue timers_;  // on the loop only
  std::thread thread_;
};

}  // namespace pagewire::etcd
