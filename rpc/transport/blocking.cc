#include <pagewire/internal/blocking.h>

#include "base/mutex.h"
#include "transport/loop.h"

namespace pagewire::internal {

bool OnLoopThread() { return transport::Loop::OnAnyLoop(); }

struct Gate::State {
  base::Mutex mutex;
  base::CondVar opened;
  bool open ABSL_GUARDED_BY(mutex) = false;
};

Gate::Gate() : state_(std::make_shared<State>()) {}
Gate::~Gate() = default;
Gate::Gate(const Gate&) = default;

void Gate::Open() {
  base::MutexLock lock(state_->mutex);
  state_->open = true;
  state_->opened.NotifyAll();
}

void Gate::Wait() {
  base::MutexLock lock(state_->mutex);
  while (!state_->open) state_->opened.Wait(state_->mutex);
}

}  // namespace pagewire::internal
