// A program that a test starts and ends.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace pagewire::etcd {

// Killed on destruction, and when the test dies. Not thread-safe.
class ChildProcess {
 public:
  // `arguments`: the program's path first. What it prints to both outputs goes to `output`, which is not owned.
  ChildProcess(const std::vector<std::string>& arguments, int output);
  ~ChildProcess() { Kill(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool running();

  // As kill -9, and waits for its end. Again: nothing.
  void Kill();

 private:
  pid_t pid_ = -1;
};

}  // namespace pagewire::etcd
