// A server in a process of its own, which is asked what it costs.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "harness/usage.h"

namespace pagewire::bench {

// Forks: made before anything of a library that has threads is used in this process.
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
