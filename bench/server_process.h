// A server in a process of its own, which is asked what it costs.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace pagewire::bench {

// What a process has used.
struct Usage {
  uint64_t cpu_us = 0;  // user and system
  uint64_t resident_bytes = 0;
};
Usage OwnUsage();

// Forks: made before anything of the library is used in this process.
class ServerProcess {
 public:
  // `start`, in the child, sets the port and returns what keeps it going; null: it failed. The child ends with the
  // parent's interest.
  using Start = std::function<std::shared_ptr<void>(int& port)>;
  explicit ServerProcess(const Start& start);
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  int port() const { return port_; }
  std::string target() const;  // for channels
  Usage usage() const;

 private:
  pid_t pid_ = 0;
  int ask_ = -1;
  int answer_ = -1;
  int port_ = 0;
};

}  // namespace pagewire::bench
