// What a ClientContext can cancel.
#pragma once

#include <memory>

namespace pagewire::call {

class Cancellable {
 public:
  virtual ~Cancellable() = default;

  // Asks for an end with CANCELLED, soon, on the loop. Nothing happens when there is nothing to cancel any more. Any
  // thread, any number of times. `self` owns this, and is passed on to the loop, where alone it may be destroyed.
  virtual void RequestCancel(std::shared_ptr<Cancellable> self) = 0;
};

}  // namespace pagewire::call
