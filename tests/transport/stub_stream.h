// A stream that does nothing, for tests that replace what they look at.
#pragma once

#include <string>

#include "transport/byte_stream.h"

namespace pagewire::transport::testing {

class StubStream : public ByteStream {
 public:
  void Start(Observer*) override {}
  void Detach() override {}
  IoResult Read(absl::Span<const iovec>) override { return IoResult::Blocked(); }
  IoResult Write(absl::Span<const iovec>, WriteOptions) override { return IoResult::Blocked(); }
  void CloseWrite() override {}
  void Abort() override {}
  bool SendQueueEmpty() override { return true; }
  const std::string& peer() const override { return peer_; }
  bool same_host() const override { return true; }
  int fd() const override { return -1; }

 private:
  const std::string peer_ = "stub";
};

}  // namespace pagewire::transport::testing
