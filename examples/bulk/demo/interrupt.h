// Ctrl-C: ends the call in flight, so that the demo can clean up.
#pragma once

#include <pagewire/client_context.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "bulk/fd.h"

namespace bulk::demo {

// SIGINT and SIGTERM do not end the process while this exists. Make it before any other thread starts: threads inherit
// what is blocked.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  // Whether one of the signals has come.
  bool requested() const { return requested_; }

  // While it exists, the signals cancel the call of `context`. One at a time.
  class Watch {
   public:
    Watch(Interrupt& interrupt, pagewire::ClientContext& context) : interrupt_(interrupt) {
      interrupt_.SetContext(&context);
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() { interrupt_.SetContext(nullptr); }

   private:
    Interrupt& interrupt_;
  };

 private:
  void SetContext(pagewire::ClientContext* context);
  void AwaitSignal();

  Fd signals_;
  Fd stop_;  // an eventfd that ends the thread
  std::atomic<bool> requested_ = false;
  std::mutex mutex_;
  pagewire::ClientContext* context_ = nullptr;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace bulk::demo
