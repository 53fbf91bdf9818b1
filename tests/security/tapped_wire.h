// Somebody on the way between client and server, who reads everything and may change it.
#pragma once

#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/unique_fd.h"

namespace pagewire::testing {

class TappedWire {
 public:
  enum class Mischief { kNone, kFlip, kCut };

  // Passes connections on to 127.0.0.1:`port`. The mischief happens to the byte number `at` from the client, in each
  // connection: its bits are flipped, or the connection ends there.
  explicit TappedWire(int port, Mischief mischief = Mischief::kNone, size_t at = 0);
  ~TappedWire();

  int port() const { return port_; }

  // What has passed so far, both ways.
  std::string Seen() const;

 private:
  struct Direction {
    int from;
    int to;
    bool from_client;
  };
  void Accept();
  void PassOn(Direction direction);

  const int server_port_;
  const Mischief mischief_;
  const size_t at_;
  base::UniqueFd listener_;
  int port_ = 0;
  mutable base::Mutex mutex_;
  std::string seen_ ABSL_GUARDED_BY(mutex_);
  std::vector<base::UniqueFd> sockets_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace pagewire::testing
