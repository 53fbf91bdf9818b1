// How many handlers run: what a server waits for before it goes.
#pragma once

#include <memory>

#include "base/mutex.h"

namespace pagewire::server {

// Thread-safe.
class RunningHandlers {
 public:
  // One handler runs until the last copy of the token is gone. The token may outlive this object.
  std::shared_ptr<void> Begin();

  // Blocks until none runs. Nothing may begin meanwhile.
  void WaitForAll() const;

 private:
  struct Count {
    base::Mutex mutex;
    base::CondVar idle;
    int running ABSL_GUARDED_BY(mutex) = 0;
  };
  const std::shared_ptr<Count> count_ = std::make_shared<Count>();
};

}  // namespace pagewire::server
