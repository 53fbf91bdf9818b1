// Observer calls that are posted and cannot outlive the stream.
#pragma once

#include <memory>

#include "transport/byte_stream.h"
#include "transport/loop.h"

namespace pagewire::transport {

// Part of a stream. On its loop only, apart from Notify.
class Readiness {
 public:
  explicit Readiness(Loop& loop) : loop_(loop), state_(std::make_shared<State>()) {}
  ~Readiness() { state_->observer = nullptr; }
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Before it there are no calls; with null there are none from then on.
  void Start(ByteStream::Observer* observer) { state_->observer = observer; }

  // Posts the calls. From any thread, while this object is known to live.
  void Notify(bool readable, bool writable) {
    loop_.Post([state = state_, readable, writable] { Call(*state, readable, writable); });
  }

  // Makes the calls now: only from the loop itself, never from inside a call to the stream. The stream, and this
  // object with it, may be gone afterwards.
  void CallNow(bool readable, bool writable) {
    const std::shared_ptr<State> state = state_;
    Call(*state, readable, writable);
  }

 private:
  struct State {
    ByteStream::Observer* observer = nullptr;  // null before Start and once the stream is gone
  };

  static void Call(State& state, bool readable, bool writable) {
    if (readable && state.observer != nullptr) state.observer->OnReadable();
    if (writable && state.observer != nullptr) state.observer->OnWritable();
  }

  Loop& loop_;
  const std::shared_ptr<State> state_;
};

}  // namespace pagewire::transport
