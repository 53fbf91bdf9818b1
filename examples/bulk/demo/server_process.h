// A bulk-server of the demo's own.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <sys/types.h>

#include <memory>
#include <string>

#include "bulk/demo/row.h"
#include "bulk/fd.h"

namespace bulk::demo {

// The program bulk-server beside this one, as a process that ends with this object, and with this process however that
// ends. Make it from the main thread: the kernel ends it with the thread that made it.
class ServerProcess {
 public:
  // Returns once it listens, on a free port of 127.0.0.1.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(const std::string& store, const Row& row);

  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  // What a channel to it is made from: "ipv4:127.0.0.1:PORT".
  const std::string& target() const { return target_; }

  // CPU time of all its threads so far, in user code and in the kernel.
  absl::Duration cpu() const;

 private:
  ServerProcess(pid_t pid, Fd output) : pid_(pid), output_(std::move(output)) {}
  absl::Status AwaitPort();

  const pid_t pid_;
  const Fd output_;  // what it prints
  std::string target_;
};

}  // namespace bulk::demo
