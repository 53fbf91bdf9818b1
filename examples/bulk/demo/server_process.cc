#include "bulk/demo/server_process.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "bulk/stopwatch.h"

namespace bulk::demo {
namespace {

constexpr int kStartMs = 30'000;  // for a machine that is busy building; normally a few milliseconds
constexpr int kStopMs = 15'000;   // more than the server gives its calls in flight
constexpr char kListening[] = "listening on ";

// Runs in the child, between fork and exec: system calls only.
[[noreturn]] void BecomeServer(char* const* arguments, int output, pid_t parent) {
  setpgid(0, 0);  // Ctrl-C is for the demo, which ends the server
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);  // it ended before the line above
  dup2(output, STDOUT_FILENO);
  execv(arguments[0], arguments);
  const char* const error = strerrordesc_np(errno);
  for (const char* part : {"cannot run ", static_cast<const char*>(arguments[0]), ": ", error, "\n"}) {
    if (write(STDERR_FILENO, part, strlen(part)) < 0) break;
  }
  _exit(1);
}

// Waits until the other end of a pipe has been closed; false after `timeout_ms`.
bool AwaitHangUp(const Fd& pipe, int timeout_ms) {
  pollfd hung_up = {pipe.get(), 0, 0};
  int ready = 0;
  while ((ready = poll(&hung_up, 1, timeout_ms)) < 0 && errno == EINTR) {
  }
  return ready > 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(const std::string& store, const Row& row) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return absl::UnavailableError(absl::StrCat("cannot read /proc/self/exe: ", error.message()));
  std::vector<std::string> arguments = {self.parent_path() / "bulk-server", "--listen=127.0.0.1:0", "--store=" + store,
                                        "--send-path=" + std::string(pagewire::SendPathName(row.send)),
                                        "--receive-path=" + std::string(pagewire::ReceivePathName(row.receive))};
  std::vector<char*> raw_arguments;
  for (std::string& argument : arguments) raw_arguments.push_back(argument.data());
  raw_arguments.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const pid_t self_pid = getpid();
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "cannot start a process");
  if (pid == 0) BecomeServer(raw_arguments.data(), write_end.get(), self_pid);
  std::unique_ptr<ServerProcess> server(new ServerProcess(pid, std::move(read_end)));
  write_end = Fd();  // the server has the only one now, so that its end is seen
  if (absl::Status status = server->AwaitPort(); !status.ok()) return status;
  return server;
}

absl::Status ServerProcess::AwaitPort() {
  std::string line;
  while (line.empty() || line.back() != '\n') {
    pollfd readable = {output_.get(), POLLIN, 0};
    const int ready = poll(&readable, 1, kStartMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return absl::DeadlineExceededError("bulk-server did not start to listen within 30 s");
    char next = 0;
    if (read(output_.get(), &next, 1) != 1) {
      return absl::UnavailableError("bulk-server ended before it listened; what it said is above");
    }
    line.push_back(next);
  }
  int port = 0;
  if (line.rfind(kListening, 0) != 0 || !absl::SimpleAtoi(line.substr(strlen(kListening)), &port)) {
    return absl::InternalError(absl::StrCat("bulk-server said \"", line, "\" instead of its port"));
  }
  target_ = absl::StrCat("ipv4:127.0.0.1:", port);
  return absl::OkStatus();
}

absl::Duration ServerProcess::cpu() const {
  clockid_t clock = {};
  if (clock_getcpuclockid(pid_, &clock) != 0) return absl::ZeroDuration();
  return ClockTime(clock);
}

ServerProcess::~ServerProcess() {
  kill(pid_, SIGTERM);
  if (!AwaitHangUp(output_, kStopMs)) kill(pid_, SIGKILL);  // its end closes the pipe
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace bulk::demo
