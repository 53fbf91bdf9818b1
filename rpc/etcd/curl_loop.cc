#include "etcd/curl_loop.h"

#include <absl/strings/str_cat.h>
#include <pthread.h>

#include <algorithm>
#include <cassert>
#include <csignal>
#include <ctime>
#include <system_error>
#include <utility>

namespace pagewire::etcd {
namespace {

struct SharedLoop {
  base::Mutex mutex;
  std::weak_ptr<CurlLoop> loop ABSL_GUARDED_BY(mutex);
};

// Of curl_multi_poll, which takes an int. Waking up this often costs nothing.
constexpr absl::Duration kLongestWait = absl::Hours(1);

}  // namespace

absl::StatusOr<std::shared_ptr<CurlLoop>> CurlLoop::Shared() {
  static auto* const shared = new SharedLoop;  // never destroyed: users may come as late as in static destructors
  base::MutexLock lock(shared->mutex);
  if (auto loop = shared->loop.lock()) return loop;
  auto created = Create();
  if (created.ok()) shared->loop = *created;
  return created;
}

absl::StatusOr<std::shared_ptr<CurlLoop>> CurlLoop::Create() {
  // Never undone, as other users of curl in this process could not know.
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM* const multi = initialized == CURLE_OK ? curl_multi_init() : nullptr;
  if (multi == nullptr) return absl::ResourceExhaustedError("cannot start a loop for HTTP: libcurl refuses");

  auto loop = std::shared_ptr<CurlLoop>(new CurlLoop(multi));
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  absl::Status status;
  try {
    loop->thread_ = std::thread([raw = loop.get()] { raw->Run(); });
  } catch (const std::system_error& refused) {
    status = absl::ResourceExhaustedError(absl::StrCat("cannot start a loop for HTTP: no thread: ", refused.what()));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!status.ok()) return status;
  return loop;
}

CurlLoop::~CurlLoop() {
  assert(!InLoop());
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  curl_multi_wakeup(multi_);
  if (thread_.joinable()) thread_.join();
  curl_multi_cleanup(multi_);
}

void CurlLoop::Add(CURL* easy, CurlTransfer* transfer) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl_multi_add_handle(multi_, easy);
}

void CurlLoop::Remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }

void CurlLoop::Post(absl::AnyInvocable<void()> task) {
  {
    base::MutexLock lock(mutex_);
    // The task is destroyed after the lock is released: its destructor may post.
    if (stopping_) return;
    posted_.push_back(std::move(task));
  }
  curl_multi_wakeup(multi_);
}

transport::Loop::TimerId CurlLoop::RunAfter(absl::Duration delay, absl::AnyInvocable<void()> task) {
  return timers_.Add(Now() + std::max(delay, absl::ZeroDuration()), std::move(task));
}

void CurlLoop::CancelTimer(TimerId timer) { timers_.Cancel(timer); }

absl::Time CurlLoop::Now() const {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::TimeFromTimespec(now);
}

void CurlLoop::Run() {
  pthread_setname_np(pthread_self(), "pagewire-http");
  const Running running(this);
  while (RunPosted()) {
    timers_.RunDue(Now());
    Transfer();
    Wait();
  }
  timers_.Clear();
}

bool CurlLoop::RunPosted() {
  std::vector<absl::AnyInvocable<void()>> tasks;
  bool stopping;
  {
    base::MutexLock lock(mutex_);
    std::swap(posted_, tasks);
    stopping = stopping_;
  }
  for (auto& task : tasks) {
    std::move(task)();
    task = nullptr;  // what it holds goes now, not after the rest of the batch
  }
  return !stopping;
}

void CurlLoop::Transfer() {
  int running;
  curl_multi_perform(multi_, &running);
  int left;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CurlTransfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer->OnEnded(message->data.result);
  }
}

void CurlLoop::Wait() {
  // Rounded up, so that no timer runs early. A wake-up that came since RunPosted ends the wait at once.
  const absl::Duration delay = std::clamp(timers_.next_due() - Now(), absl::ZeroDuration(), kLongestWait);
  const int64_t milliseconds = absl::ToInt64Milliseconds(absl::Ceil(delay, absl::Milliseconds(1)));
  curl_multi_poll(multi_, nullptr, 0, static_cast<int>(milliseconds), nullptr);
}

}  // namespace pagewire::etcd
