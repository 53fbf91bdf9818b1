#include "harness/server_process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace pagewire::bench {
namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

template <typename Value>
void Say(int pipe, const Value& value) {
  if (write(pipe, &value, sizeof(value)) != sizeof(value)) std::_Exit(1);
}

template <typename Value>
Value Hear(int pipe) {
  Value value;
  if (read(pipe, &value, sizeof(value)) != sizeof(value)) Die("the server's process says nothing");
  return value;
}

[[noreturn]] void Serve(const ServerProcess::Start& start, int questions, int answers) {
  int port = 0;
  const std::shared_ptr<void> server = start(port);
  if (server == nullptr) std::_Exit(1);
  Say(answers, port);
  for (char question; read(questions, &question, 1) == 1;) Say(answers, OwnUsage());
  std::_Exit(0);
}

}  // namespace

ServerProcess::ServerProcess(const Start& start) {
  int questions[2], answers[2];
  if (pipe(questions) != 0 || pipe(answers) != 0) Die("pipe");
  pid_ = fork();
  if (pid_ < 0) Die("fork");
  if (pid_ == 0) {
    close(questions[1]);  // so that the parent's end is noticed
    Serve(start, questions[0], answers[1]);
  }
  close(questions[0]);
  close(answers[1]);
  ask_ = questions[1];
  answer_ = answers[0];
  port_ = Hear<int>(answer_);
}

ServerProcess::~ServerProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(ask_);
  close(answer_);
}

std::string ServerProcess::target() const { return "ipv4:127.0.0.1:" + std::to_string(port_); }

Usage ServerProcess::usage() const {
  if (write(ask_, "?", 1) != 1) Die("the server's process is gone");
  return Hear<Usage>(answer_);
}

}  // namespace pagewire::bench
