// Gets a stream's last bytes out after its user has gone.
#pragma once

#include <memory>
#include <string>

#include "transport/byte_stream.h"
#include "transport/loop.h"

namespace pagewire::transport {

// An observer whose target may change: a stream is started with one only once.
class Relay final : public ByteStream::Observer {
 public:
  void set_target(ByteStream::Observer* target) { target_ = target; }
  void OnReadable() override {
    if (target_ != nullptr) target_->OnReadable();
  }
  void OnWritable() override {
    if (target_ != nullptr) target_->OnWritable();
  }

 private:
  ByteStream::Observer* target_ = nullptr;
};

struct LastWords {
  std::unique_ptr<Relay> relay;        // the observer that `stream` was started with
  std::unique_ptr<ByteStream> stream;  // gone before its relay
  std::string bytes;                   // to be written yet

  // Then the sending side is closed, and what the peer sends is thrown away until it has closed, too: closing at once
  // with bytes of the peer unread would be an abort, which could overtake the last words.
  bool wait_for_end = false;
};

// Takes a second at most; then, or when all is done, the stream is destroyed. On the stream's loop; if that stops, the
// stream goes at once.
void SayLastWords(Loop& loop, LastWords last);

}  // namespace pagewire::transport
