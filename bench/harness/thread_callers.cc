#include "harness/thread_callers.h"

#include <stop_token>
#include <thread>
#include <vector>

namespace pagewire::bench {
namespace {

class ThreadCallers final : public Callers {
 public:
  ThreadCallers(int count, const std::function<std::function<bool()>()>& make) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([make](const std::stop_token& stop) {
        const std::function<bool()> call = make();
        while (!stop.stop_requested() && call()) continue;
      });
    }
  }
  // All are told to stop before the first is waited for: calls of one may wait for those of others.
  ~ThreadCallers() override {
    for (std::jthread& thread : threads_) thread.request_stop();
  }

 private:
  std::vector<std::jthread> threads_;
};

}  // namespace

std::unique_ptr<Callers> StartThreads(int count, const std::function<std::function<bool()>()>& make) {
  return std::make_unique<ThreadCallers>(count, make);
}

std::unique_ptr<Callers> StartThreads(int count, Tally& tally, const std::function<BlockingCall()>& make) {
  return StartThreads(count, [&tally, make]() -> std::function<bool()> {
    return [&recorder = tally.Add(), call = make()] {
      const Recorder::Time began = Recorder::Now();
      uint64_t bytes = 0;
      std::string error;
      if (call(bytes, error)) {
        recorder.Ended(began, bytes);
        return true;
      }
      recorder.Failed(error);
      return false;
    };
  });
}

}  // namespace pagewire::bench
