// A connection of the admin server: bounded in time and bytes.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>

#include "base/unique_fd.h"

namespace pagewire::admin {

struct HttpLimits {
  std::chrono::steady_clock::duration time = std::chrono::seconds(10);  // from its beginning to its end
  size_t request_bytes = 16 << 10;
};

// For one thread. Waits no longer than the limits allow, nor once `stop_fd` can be read.
class HttpConnection {
 public:
  // `fd` does not block; `stop_fd` is the caller's, and outlives this.
  HttpConnection(base::UniqueFd fd, int stop_fd, const HttpLimits& limits);

  // At least one byte; 0: the client sends no more; -1: broken, stopped, or a limit was reached.
  ssize_t Read(char* out, size_t size);

  // All of it, or -1 for the same reasons.
  ssize_t Write(const char* data, size_t size);

  // Says that no more will come, and lets the client read what was sent: what it has sent beyond its request would
  // otherwise make the kernel reset the connection, and take the answer away.
  void Finish();

  int fd() const { return fd_.get(); }

 private:
  using Time = std::chrono::steady_clock::time_point;

  // False when `events` did not come in time.
  bool Await(short events, Time deadline) const;
  ssize_t Receive(char* out, size_t size, Time deadline) const;

  const base::UniqueFd fd_;
  const int stop_fd_;
  const Time deadline_;
  size_t may_read_;
  std::array<char, 4096> buffer_;  // the parser reads byte by byte
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace pagewire::admin
