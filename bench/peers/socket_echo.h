// Small messages there and back over a bare socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "harness/tally.h"

namespace pagewire::bench {

// Messages as they arrive: a length, then so many bytes. As many as there are with one system call.
class EchoReader {
 public:
  explicit EchoReader(int fd) : fd_(fd), buffer_(256 << 10) {}
  // Waits for whole messages, of which it gives the bytes, lengths included; none: the connection has ended. They stay
  // until the next call.
  size_t Read(const char*& messages, int& count);

 private:
  const int fd_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

// Sends what comes back, all that has come with one call, until the connection ends.
void ServeEcho(int fd);

// Keeps `inflight` messages on their way over one connection, by one thread.
class EchoClient {
 public:
  EchoClient(int fd, size_t message_bytes, int inflight, Recorder& recorder);
  EchoClient(const EchoClient&) = delete;
  EchoClient& operator=(const EchoClient&) = delete;
  ~EchoClient();

  // Takes the answers that are there, waiting for one, and sends as many again. False: it has failed, which it told.
  bool Next();

 private:
  bool Send(int count);

  const int fd_;
  const size_t message_bytes_;
  Recorder& recorder_;
  EchoReader reader_;
  std::vector<char> requests_;  // of all that are in flight
  std::deque<Recorder::Time> began_;
};

}  // namespace pagewire::bench
