// Observer calls that are posted and cannot outlive the stream.
#pragma once

#include <memory>

#include "transport/byte_stream.h"
#include "transport/loop.h"

namespace pagewire::transport {

// Part of a stream, used on its loop only. Several requests before the loop gets round to them give one call.
class Readiness {
 public:
  explicit Readiness(Loop& loop) : loop_(loop), state_(std::make_shared<State>()) {}
  ~Readiness() { state_->observer = nullptr; }
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  // Requests made before are kept until then.
  void Start(ByteStream::Observer* observer);

  void NotifyReadable();
  void NotifyWritable();

 private:
  struct State {
    ByteStream::Observer* observer = nullptr;
    bool readable = false;
    bool writable = false;
    bool posted = false;
  };
  void Post();

  Loop& loop_;
  const std::shared_ptr<State> state_;
};

}  // namespace pagewire::transport
